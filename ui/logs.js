// The last log lines of a connector, followed.
import { h } from './dom.js';
import { call, connectorPath, PERIOD_MS } from './api.js';

const LINES = 1000;
const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

export function logsTab(name) {
  const box = h('div', { class: 'log', role: 'log', tabindex: '0', 'aria-label': 'Log lines' });
  const least = h('select', { 'aria-label': 'Least level', class: 'file', onchange: filter }, ['INFO', 'WARN', 'ERROR'].map((level) => h('option', {}, level)));
  const follow = h('input', { type: 'checkbox', checked: true, id: 'follow' });
  const note = h('p', { class: 'empty' }, 'Loading');
  const element = h('section', { class: 'panel' }, h('header', {}, h('h2', { class: 'grow' }, 'Log'), h('label', { class: 'row' }, follow, 'Follow'), least), note, box);
  let after = 0, timer = null, closed = false;
  function filter() {
    for (const line of box.children) line.hidden = levels.indexOf(line.className) < levels.indexOf(least.value);
  }
  async function read() {
    try {
      const answer = await call('GET', connectorPath(name, `/logs?after=${after}&limit=${LINES}`));
      if (answer.next < after) box.replaceChildren(); // the worker was started anew
      after = answer.next;
      box.append(...answer.lines.map((line) => h('div', { class: levels.includes(line.level) ? line.level : 'INFO' },
        h('time', { datetime: line.time }, line.time.slice(11, 23)), h('b', {}, line.level),
        h('span', { class: 'who' }, line.task === null ? 'worker' : `task ${line.task}`),
        h('span', { class: 'msg', title: line.logger }, line.message))));
      while (box.children.length > LINES) box.firstChild.remove();
      if (answer.lines.length) {
        filter();
        if (follow.checked) box.scrollTop = box.scrollHeight;
      }
      note.textContent = 'No lines yet';
    } catch (error) {
      note.textContent = error.message;
    }
    note.hidden = box.children.length > 0;
    if (!closed) timer = setTimeout(read, PERIOD_MS);
  }
  read();
  return { element, update() {}, close() { closed = true; clearTimeout(timer); } };
}
