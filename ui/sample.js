// Some live records at a stage of their way, where the worker allows that.
import { h } from './dom.js';
import { call, connectorPath } from './api.js';

const stages = {
  source: [['polled', 'as the source gave them'], ['transformed', 'after the transforms']],
  sink: [['converted', 'as the converters read them'], ['transformed', 'as the sink gets them']],
};

export function sampleTab(name) {
  const stage = h('select', { 'aria-label': 'Stage', class: 'file' });
  const task = h('select', { 'aria-label': 'Task', class: 'file' });
  const take = h('button', { type: 'button', class: 'primary', onclick: run }, 'Take a sample');
  const box = h('div', {}, h('p', { class: 'empty' }, 'Up to 20 of the next records. Nothing is kept, and the flow is not held up.'));
  const element = h('section', { class: 'panel' }, h('header', {}, h('h2', { class: 'grow' }, 'Sample'), stage, task, take), h('div', { 'aria-live': 'polite' }, box));

  async function run() {
    take.disabled = true;
    box.replaceChildren(h('p', { class: 'empty' }, 'Waiting for records …'));
    try {
      const { records } = await call('GET', connectorPath(name, `/tap?stage=${stage.value}&task=${task.value}&limit=20`));
      box.replaceChildren(...(records.length ? records.map(record)
        : [h('p', { class: 'empty' }, 'No record came by within five seconds.')]));
    } catch (error) {
      box.replaceChildren(h('div', { class: 'empty' }, h('p', {}, error.message)));
    }
    take.disabled = false;
  }
  function record(one) {
    const about = [one.topic, one.partition !== null && `partition ${one.partition}`, one.offset !== null && `offset ${one.offset}`,
      one.timestamp !== null && new Date(one.timestamp).toISOString()].filter(Boolean);
    return h('article', { class: 'record' }, h('header', {}, about.map((text) => h('span', {}, text))),
      one.key !== null && h('pre', { class: 'dim' }, `key ${pretty(one.key)}`), h('pre', {}, pretty(one.value)),
      one.headers?.length > 0 && h('pre', { class: 'dim' }, `headers ${pretty(one.headers)}`));
  }
  const pretty = (value) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));
  return { element, update(connector) {
    if (stage.options.length === 0) {
      stage.append(...(stages[connector.status.type] || []).map(([key, text]) => h('option', { value: key }, text)));
    }
    const ids = connector.status.tasks.map((one) => String(one.id));
    if ([...task.options].map((one) => one.value).join() !== ids.join()) {
      task.replaceChildren(...ids.map((id) => h('option', { value: id }, `task ${id}`)));
      task.hidden = ids.length < 2;
    }
  } };
}
