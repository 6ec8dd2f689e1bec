// One connector: what it does, its tasks with their traces, configuration, offsets, log, samples.
import { h, setText, setState, stateBadge, number, rate, bytes, chart, toast, confirm } from './dom.js';
import { state, call, connectorPath, overall, refresh, PERIOD_MS } from './api.js';
import { configTab } from './config.js';
import { logsTab } from './logs.js';
import { sampleTab } from './sample.js';

const numberNames = ['Records', 'Records/s', 'Lag', 'In flight', 'Bad records', 'Memory'];
const tabNames = [['overview', 'Overview'], ['config', 'Configuration'], ['offsets', 'Offsets'], ['logs', 'Log'], ['sample', 'Sample']];

async function act(what, method, path, done) {
  try {
    await call(method, path);
    toast(done);
  } catch (error) {
    toast(`${what}: ${error.message}`, true);
  }
  await refresh();
  document.dispatchEvent(new Event('refreshed'));
}

// Its first line without the class, which the trace itself has.
function brief(trace) {
  const line = trace.split('\n')[0].replace(/^[\w.$]+(Exception|Error): /, '');
  return line.length > 200 ? `${line.slice(0, 200)} …` : line;
}

export function actions(name) {
  const path = (rest) => connectorPath(name, rest);
  return {
    pause: () => act('Pause', 'PUT', path('/pause'), `${name} is being paused`),
    resume: () => act('Resume', 'PUT', path('/resume'), `${name} is being resumed`),
    restart: () => act('Restart', 'POST', path('/restart?includeTasks=true&onlyFailed=false'), `${name} is being restarted`),
    restartTask: (id) => act('Restart', 'POST', path(`/tasks/${id}/restart`), `Task ${id} is being restarted`),
    stop: async () => {
      if (await confirm({ title: `Stop ${name}?`, text: 'Its tasks end. Its configuration and offsets stay; resume starts it again.', action: 'Stop' })) {
        await act('Stop', 'PUT', path('/stop'), `${name} is stopped`);
      }
    },
    remove: async () => {
      if (await confirm({ title: `Delete ${name}?`, text: 'Its tasks end and its configuration is gone. Offsets and what it wrote stay.', action: 'Delete', danger: true })) {
        await act('Delete', 'DELETE', path(''), `${name} is deleted`);
        if (!state.connectors?.has(name)) location.hash = '#/';
      }
    },
  };
}

function overviewTab(name) {
  const chartBox = h('div', { class: 'body' });
  const figures = Object.fromEntries([['rate', 'Records per second'], ['bytes', 'Throughput'], ['records', 'Records'], ['objects', 'Objects written'],
    ['lag', 'Lag'], ['active', 'In flight'], ['errors', 'Bad records'], ['retries', 'Retries']].map(([key, label]) => {
    const value = h('dd', {}, '–');
    return [key, { value, element: h('div', { class: 'figure' }, h('dt', {}, label), value) }];
  }));
  const traces = h('div', { class: 'stack', 'aria-label': 'Traces' });
  const body = h('tbody', {});
  const rows = new Map();
  let told = '';
  const element = h('div', { class: 'stack' }, traces,
    h('dl', { class: 'figures' }, Object.values(figures).map((one) => one.element)),
    h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'Throughput')), chartBox),
    h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'Tasks')),
      h('div', { class: 'scroll' }, h('table', { class: 'cards' }, h('caption', { class: 'visually-hidden' }, 'Tasks'),
        h('thead', {}, h('tr', {}, ['Task', 'State', 'Worker'].map((text) => h('th', { scope: 'col' }, text)),
          numberNames.map((text) => h('th', { scope: 'col', class: 'num' }, text)),
          h('th', { scope: 'col' }, h('span', { class: 'visually-hidden' }, 'Actions')))), body))));

  function makeRow(id) {
    const badge = stateBadge('UNASSIGNED');
    const worker = h('td', { class: 'dim', 'data-label': 'Worker' });
    const numbers = numberNames.map((label) => h('td', { class: 'num', 'data-label': label }));
    return { badge, worker, numbers, element: h('tr', {}, h('td', { class: 'name' }, String(id)), h('td', {}, badge), worker, numbers,
      h('td', { class: 'wide' }, h('button', { type: 'button', class: 'small', 'aria-label': `Restart task ${id}`, onclick: () => actions(name).restartTask(id) }, 'Restart'))) };
  }

  function showTraces(connector) {
    const failed = [connector.status.connector, ...connector.status.tasks].filter((one) => one.trace);
    const now = JSON.stringify(failed.map((one) => [one.id, one.trace]));
    if (now === told) return; // an open one stays open, a selection stays
    told = now;
    traces.replaceChildren(...failed.map((one) => h('details', { class: 'trace', open: true },
      h('summary', {}, `${one.id === undefined ? 'The connector' : `Task ${one.id}`} failed: ${brief(one.trace)}`),
      h('pre', { tabindex: '0' }, one.trace))));
    traces.hidden = failed.length === 0;
  }

  function update(connector) {
    const metrics = connector.metrics;
    setText(figures.rate.value, rate(connector.rate));
    setText(figures.bytes.value, `${bytes(connector.byteRate)}/s`);
    for (const key of ['records', 'objects', 'lag', 'active', 'errors', 'retries']) {
      setText(figures[key].value, metrics ? number(metrics[key]) : '–');
    }
    figures.objects.element.hidden = !metrics?.objects;
    figures.lag.element.hidden = metrics?.lag === null;
    figures.errors.element.classList.toggle('bad', metrics?.errors > 0);
    chartBox.replaceChildren(chart(connector.rates, Math.max(30, connector.rates.length), PERIOD_MS / 1000, 'records/s'));
    showTraces(connector);
    const ids = new Set(connector.status.tasks.map((task) => task.id));
    for (const [id, row] of rows) if (!ids.has(id)) { row.element.remove(); rows.delete(id); }
    for (const task of connector.status.tasks) {
      let row = rows.get(task.id);
      if (!row) { rows.set(task.id, row = makeRow(task.id)); body.append(row.element); }
      setState(row.badge, task.state);
      setText(row.worker, task.worker_id || '');
      const own = metrics?.tasks?.find((one) => one.id === task.id);
      [own && number(own.records), own && rate(own.rate), own && number(own.lag), own && number(own.active), own && number(own.errors), own && bytes(own.memory)]
        .forEach((text, i) => setText(row.numbers[i], text || '–'));
    }
    if (rows.size === 0 && !body.querySelector('.none')) {
      body.replaceChildren(h('tr', { class: 'none' }, h('td', { colspan: 10, class: 'dim' }, 'No tasks')));
    } else if (rows.size > 0) {
      body.querySelector('.none')?.remove();
    }
  }
  return { element, update };
}

function offsetsTab(name) {
  const box = h('div', {}, h('p', { class: 'empty' }, 'Loading'));
  const element = h('section', { class: 'panel' }, h('header', {}, h('h2', { class: 'grow' }, 'Offsets'),
    h('button', { type: 'button', class: 'small', onclick: load }, 'Read again')), box);
  async function load() {
    try {
      const { offsets } = await call('GET', connectorPath(name, '/offsets'));
      box.replaceChildren(offsets.length === 0 ? h('p', { class: 'empty' }, 'None committed yet')
        : h('div', { class: 'scroll' }, h('table', {}, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Partition'), h('th', { scope: 'col' }, 'Offset'))),
          h('tbody', {}, offsets.map((one) => h('tr', {}, h('td', { class: 'mono' }, words(one.partition)), h('td', { class: 'mono' }, words(one.offset))))))));
    } catch (error) {
      box.replaceChildren(h('p', { class: 'empty' }, error.message));
    }
  }
  const words = (object) => Object.entries(object ?? {}).map(([key, value]) => `${key.replace(/^kafka_/, '')} ${typeof value === 'string' ? value : JSON.stringify(value)}`).join('  ·  ');
  load();
  return { element, update() {} };
}

export function detailView(name, tab) {
  const make = { overview: overviewTab, config: configTab, offsets: offsetsTab, logs: logsTab, sample: sampleTab };
  const open = Object.hasOwn(make, tab) ? tab : 'overview';
  const act = actions(name);
  const badge = stateBadge('UNASSIGNED');
  const kind = h('span', { class: 'tag' });
  const className = h('span', { class: 'dim mono' });
  const button = (label, onclick, props = {}) => h('button', { type: 'button', onclick, ...props }, label);
  const buttons = { pause: button('Pause', act.pause), resume: button('Resume', act.resume), restart: button('Restart', act.restart), stop: button('Stop', act.stop) };
  const content = make[open](name);
  const base = `#/connector/${encodeURIComponent(name)}`;
  const tabs = tabNames.map(([key, label]) => h('button', { type: 'button', role: 'tab', id: `tab-${key}`, 'aria-selected': String(key === open),
    'aria-controls': 'tab-panel', tabindex: key === open ? '0' : '-1', onclick: () => { location.hash = `${base}/${key}`; } }, label));
  const tablist = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'About the connector', onkeydown: (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = tabNames.findIndex(([key]) => key === open);
    sessionStorage.setItem('focus-tab', '1');
    location.hash = `${base}/${tabNames[(at + step + tabNames.length) % tabNames.length][0]}`;
  } }, tabs);
  const gone = h('div', { class: 'panel empty', hidden: true }, h('h2', {}, 'There is no such connector'), h('a', { class: 'button', href: '#/' }, 'All connectors'));
  const there = h('div', { class: 'stack' },
    h('div', { class: 'row' }, h('div', { class: 'grow' }, h('div', { class: 'row' }, h('h1', {}, name), badge, kind), className),
      h('div', { class: 'row' }, Object.values(buttons), h('a', { class: 'button', href: `#/edit/${encodeURIComponent(name)}` }, 'Edit'),
        button('Delete', act.remove, { class: 'danger' }))),
    tablist, h('div', { id: 'tab-panel', role: 'tabpanel', 'aria-labelledby': `tab-${open}` }, content.element));
  const element = h('div', { class: 'stack' }, gone, there);

  function update() {
    const connector = state.connectors?.get(name);
    gone.hidden = !state.connectors || !!connector;
    there.hidden = !!state.connectors && !connector;
    if (!connector) return;
    const target = connector.status.connector.state;
    setState(badge, overall(connector));
    setText(kind, connector.status.type);
    setText(className, connector.info.config['connector.class'] || '');
    buttons.pause.hidden = target === 'PAUSED' || target === 'STOPPED';
    buttons.resume.hidden = target !== 'PAUSED' && target !== 'STOPPED';
    buttons.restart.hidden = target === 'STOPPED';
    buttons.stop.hidden = target === 'STOPPED';
    content.update(connector);
  }
  return { element, update, title: name, close: () => content.close?.(), shown() {
    if (sessionStorage.getItem('focus-tab')) {
      sessionStorage.removeItem('focus-tab');
      tabs.find((one) => one.getAttribute('aria-selected') === 'true').focus();
      return true;
    }
    return false;
  } };
}
