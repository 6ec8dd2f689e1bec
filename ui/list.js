// All connectors: figures, a table that is sorted and filtered, updated in place.
import { h, setText, setState, stateBadge, number, rate, bytes, sparkline } from './dom.js';
import { state, overall } from './api.js';

const columns = [
  { key: 'name', label: 'Connector', sort: (c) => c.name.toLowerCase() },
  { key: 'state', label: 'State', sort: (c) => (overall(c) === 'FAILED' ? '' : overall(c)) },
  { key: 'tasks', label: 'Tasks', num: true, sort: (c) => c.status.tasks.length },
  { key: 'rate', label: 'Records/s', num: true, sort: (c) => -(c.rate ?? 0) },
  { key: 'spark', label: 'Lately' },
  { key: 'lag', label: 'Lag', num: true, sort: (c) => -(c.metrics?.lag ?? -1) },
  { key: 'errors', label: 'Bad records', num: true, sort: (c) => -(c.metrics?.errors ?? 0) },
  { key: 'memory', label: 'Memory', num: true, sort: (c) => -(c.metrics?.memory ?? 0) },
];

const filters = [['all', 'All'], ['RUNNING', 'Running'], ['PAUSED', 'Paused'], ['STOPPED', 'Stopped'], ['FAILED', 'Failed']];
const chosen = { text: '', state: 'all', sort: 'name', down: false };

function figure(label) {
  const value = h('dd', {}, '–');
  return { element: h('div', { class: 'figure' }, h('dt', {}, label), value), value };
}

function makeRow(name) {
  const cells = Object.fromEntries(columns.map((column) => [column.key, h('td', {
    class: [column.num && 'num', column.key === 'name' && 'name'].filter(Boolean).join(' ') || null,
    'data-label': column.key === 'name' || column.key === 'state' ? null : column.label,
  })]));
  const kind = h('small', {});
  const badge = stateBadge('UNASSIGNED');
  cells.name.append(h('a', { href: `#/connector/${encodeURIComponent(name)}` }, name), kind);
  cells.state.append(badge);
  return { element: h('tr', {}, Object.values(cells)), cells, kind, badge };
}

function updateRow(row, connector) {
  const tasks = connector.status.tasks;
  const running = tasks.filter((task) => task.state === 'RUNNING').length;
  const className = connector.info.config['connector.class'] || '';
  setText(row.kind, `${connector.status.type} · ${className.split('.').at(-1)}`);
  setState(row.badge, overall(connector));
  setText(row.cells.tasks, running === tasks.length ? String(tasks.length) : `${running}/${tasks.length}`);
  setText(row.cells.rate, rate(connector.rate));
  row.cells.spark.replaceChildren(sparkline(connector.rates.slice(-60)));
  setText(row.cells.lag, connector.metrics ? number(connector.metrics.lag) : '–');
  setText(row.cells.errors, connector.metrics ? number(connector.metrics.errors) : '–');
  setText(row.cells.memory, connector.metrics ? bytes(connector.metrics.memory) : '–');
}

export function listView() {
  const figures = { connectors: figure('Connectors'), tasks: figure('Tasks running'), failed: figure('Failed'),
    rate: figure('Records per second'), lag: figure('Records behind') };
  const rows = new Map();
  const body = h('tbody', {});
  const search = h('input', { type: 'search', placeholder: 'Filter by name or class  ( / )', 'aria-label': 'Filter connectors', value: chosen.text,
    oninput: () => { chosen.text = search.value; update(); } });
  const buttons = filters.map(([key, label]) => h('button', { type: 'button', 'aria-pressed': 'false', 'data-state': key,
    onclick: () => { chosen.state = key; update(); } }, label));
  const head = columns.map((column) => h('th', { scope: 'col', class: column.num ? 'num' : null },
    column.sort ? h('button', { type: 'button', onclick: () => {
      chosen.down = chosen.sort === column.key ? !chosen.down : false;
      chosen.sort = column.key;
      update();
    } }, column.label) : column.label));
  const table = h('div', { class: 'scroll' }, h('table', { class: 'cards' },
    h('caption', { class: 'visually-hidden' }, 'Connectors'), h('thead', {}, h('tr', {}, head)), body));
  const none = h('div', { class: 'empty' });
  const count = h('span', { class: 'dim' });
  const element = h('div', { class: 'stack' },
    h('h1', { class: 'visually-hidden' }, 'Connectors'),
    h('dl', { class: 'figures', }, Object.values(figures).map((one) => one.element)),
    h('section', { class: 'panel' },
      h('header', {}, h('div', { class: 'grow' }, search), h('div', { class: 'segments', role: 'group', 'aria-label': 'State' }, buttons), count),
      table, none));

  function showEmpty(total) {
    none.replaceChildren();
    if (state.connectors === null) {
      none.append(state.error ? h('h2', {}, 'No answer from the worker') : h('h2', {}, 'Loading'), h('p', {}, state.error ? state.error.message : ''));
    } else if (total === 0) {
      none.append(h('h2', {}, 'No connectors yet'), h('p', {}, 'Create one here, or give sluice a .properties file.'),
        h('a', { class: 'button primary', href: '#/new' }, 'New connector'));
    } else {
      none.append(h('h2', {}, 'Nothing matches'), h('button', { type: 'button', onclick: () => {
        chosen.text = search.value = '';
        chosen.state = 'all';
        update();
      } }, 'Clear the filter'));
    }
  }

  function update() {
    const all = state.connectors ? [...state.connectors.values()] : [];
    const tasks = all.flatMap((connector) => connector.status.tasks);
    const failed = all.filter((connector) => overall(connector) === 'FAILED').length;
    setText(figures.connectors.value, String(all.length));
    figures.tasks.value.replaceChildren(String(tasks.filter((task) => task.state === 'RUNNING').length), h('small', {}, `of ${tasks.length}`));
    setText(figures.failed.value, String(failed));
    figures.failed.element.classList.toggle('bad', failed > 0);
    setText(figures.rate.value, rate(all.reduce((sum, connector) => sum + (connector.rate ?? 0), 0)));
    setText(figures.lag.value, number(all.reduce((sum, connector) => sum + (connector.metrics?.lag ?? 0), 0)));
    for (const button of buttons) {
      button.setAttribute('aria-pressed', String(button.dataset.state === chosen.state));
    }
    const text = chosen.text.toLowerCase();
    const shown = all.filter((connector) => (chosen.state === 'all' || overall(connector) === chosen.state) &&
      (!text || `${connector.name} ${connector.info.config['connector.class'] || ''}`.toLowerCase().includes(text)));
    const by = columns.find((column) => column.key === chosen.sort).sort;
    shown.sort((a, b) => {
      const x = by(a), y = by(b);
      return (x < y ? -1 : x > y ? 1 : a.name < b.name ? -1 : 1) * (chosen.down ? -1 : 1);
    });
    columns.forEach((column, i) => {
      if (column.key === chosen.sort) head[i].setAttribute('aria-sort', chosen.down ? 'descending' : 'ascending');
      else head[i].removeAttribute('aria-sort');
    });
    const names = new Set(shown.map((connector) => connector.name));
    for (const [name, row] of rows) {
      if (!names.has(name)) { row.element.remove(); rows.delete(name); }
    }
    shown.forEach((connector, i) => {
      let row = rows.get(connector.name);
      if (!row) rows.set(connector.name, row = makeRow(connector.name));
      updateRow(row, connector);
      if (body.children[i] !== row.element) body.insertBefore(row.element, body.children[i] || null);
    });
    table.hidden = shown.length === 0;
    none.hidden = shown.length > 0;
    setText(count, shown.length === all.length ? '' : `${shown.length} of ${all.length}`);
    if (shown.length === 0) showEmpty(all.length);
  }
  return { element, update, title: 'Connectors', focusFilter: () => search.focus() };
}
