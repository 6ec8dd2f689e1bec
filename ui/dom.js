// Elements, numbers, dialogs. Text only ever becomes text: nothing here parses markup.

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked' || name === 'disabled') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function svg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const plain = new Intl.NumberFormat('en-US');

// 12,345 · 1.23 M
export function number(value) {
  if (value === null || value === undefined) return '–';
  if (Math.abs(value) < 100000) return plain.format(Math.round(value));
  for (const [size, unit] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (Math.abs(value) >= size) return `${(value / size).toPrecision(3)} ${unit}`;
  }
  return String(value);
}

export function rate(value) {
  if (value === null || value === undefined) return '–';
  return value > 0 && value < 10 ? value.toFixed(1) : number(value);
}

export function bytes(value) {
  if (value === null || value === undefined) return '–';
  let i = 0;
  while (value >= 1000 && i < 5) { value /= 1000; i++; }
  return `${i && value < 100 ? value.toFixed(1) : Math.round(value)} ${['B', 'kB', 'MB', 'GB', 'TB', 'PB'][i]}`;
}

const stateWords = { RUNNING: 'Running', PAUSED: 'Paused', STOPPED: 'Stopped', FAILED: 'Failed',
  UNASSIGNED: 'Unassigned', RESTARTING: 'Restarting' };

export function setState(element, state) {
  const known = Object.hasOwn(stateWords, state) ? state : '';
  const name = `state ${known}`.trim();
  if (element.className !== name) element.className = name;
  setText(element, stateWords[state] || state || 'Unknown');
}

export function stateBadge(state) {
  const element = h('span', {});
  setState(element, state);
  return element;
}

export function toast(text, bad = false) {
  const element = h('div', { class: bad ? 'toast bad' : 'toast' }, text);
  document.getElementById('toasts').append(element);
  setTimeout(() => element.remove(), bad ? 9000 : 4000);
}

// Resolves to true where the user agrees. Focus starts on Cancel where it cannot be undone.
export function confirm({ title, text, action, danger = false }) {
  return new Promise((resolve) => {
    const cancel = h('button', { type: 'button', onclick: () => close(false) }, 'Cancel');
    const yes = h('button', { type: 'button', class: danger ? 'danger solid' : 'primary', onclick: () => close(true) }, action);
    const dialog = h('dialog', { 'aria-labelledby': 'dialog-title', oncancel: (event) => { event.preventDefault(); close(false); } },
      h('h2', { id: 'dialog-title' }, title), h('p', {}, text), h('div', { class: 'row' }, cancel, yes));
    const before = document.activeElement;
    function close(answer) {
      dialog.close();
      dialog.remove();
      if (before && before.isConnected) before.focus();
      resolve(answer);
    }
    document.body.append(dialog);
    dialog.showModal();
    (danger ? cancel : yes).focus();
  });
}

export function sparkline(points) {
  return svg('svg', { class: 'spark', viewBox: '0 0 100 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    ...paths(points, 100, 24, Math.max(20, points.length)));
}

// Line and area under it; points: numbers, newest last; room: how many fit.
function paths(points, width, height, room) {
  const most = Math.max(...points, 1e-9);
  if (points.length < 2) return [];
  const step = width / (room - 1), left = width - (points.length - 1) * step;
  const line = points.map((value, i) => `${(left + i * step).toFixed(1)},${(height - 1.5 - (value / most) * (height - 4)).toFixed(1)}`).join(' L');
  return [svg('path', { class: 'fill', d: `M${left.toFixed(1)},${height} L${line} L${width},${height} Z` }),
    svg('path', { class: 'line', d: `M${line}` })];
}

// room: how many points fit, each of so many seconds.
export function chart(points, room, seconds, unit) {
  const grid = [37, 74, 111].map((y) => svg('line', { class: 'grid', x1: 0, x2: 800, y1: y, y2: y }));
  const most = points.length ? Math.max(...points) : 0;
  return h('div', { class: 'chart-frame', role: 'img', 'aria-label': `Throughput, at most ${rate(most)} ${unit}, now ${rate(points.at(-1) ?? 0)} ${unit}` },
    svg('svg', { class: 'chart', viewBox: '0 0 800 150', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, ...grid, ...paths(points, 800, 150, room)),
    h('span', { class: 'chart-max' }, `${rate(most)} ${unit}`),
    h('span', { class: 'chart-from' }, `−${Math.round(room * seconds / 60)} min`), h('span', { class: 'chart-to' }, 'now'));
}
