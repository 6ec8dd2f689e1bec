// Creating and editing: a form made from what /config/validate says, checked as one types.
import { h, toast } from './dom.js';
import { call, connectorPath, refresh, state } from './api.js';

const WAIT_MS = 400;
const MASK = '••••••••'; // of a secret in the text form: left as it is, it stays what it was

// `key=value` lines or a JSON object.
export function parseText(text) {
  if (text.trim().startsWith('{')) {
    const object = JSON.parse(text);
    const config = object.config && typeof object.config === 'object' ? { name: object.name, ...object.config } : object;
    return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null && value !== undefined).map(([key, value]) => [key, String(value)]));
  }
  const config = {};
  for (const line of text.replace(/\\\r?\n[ \t]*/g, '').split(/\r?\n/)) {
    const match = /^\s*([^#!\s=:][^=:\s]*)\s*[=:]?\s*(.*)$/.exec(line);
    if (match) config[match[1]] = match[2];
  }
  return config;
}

export const writeText = (config) => Object.keys(config).sort().map((key) => `${key}=${config[key]}`).join('\n') + '\n';

function control(definition, value, id, recommended, onchange) {
  const common = { id, name: definition.name, 'aria-describedby': `${id}-doc ${id}-errors`, spellcheck: 'false', autocomplete: 'off' };
  const fallback = definition.default_value;
  const shown = fallback === null || fallback === undefined || fallback === '' ? '' : String(fallback);
  if (definition.type === 'BOOLEAN') {
    const words = ['true', 'false', ...(value && value !== 'true' && value !== 'false' ? [value] : [])]; // `${env:X}`, say
    return h('select', { ...common, onchange }, h('option', { value: '' }, shown ? `default (${shown})` : 'not set'),
      words.map((word) => h('option', { value: word, selected: value === word }, word)));
  }
  if (definition.type === 'PASSWORD') {
    return h('input', { ...common, type: 'password', autocomplete: 'new-password', value: value ?? '', oninput: onchange });
  }
  const numeric = ['INT', 'LONG', 'SHORT', 'DOUBLE'].includes(definition.type);
  const input = h('input', { ...common, type: 'text', inputmode: numeric ? (definition.type === 'DOUBLE' ? 'decimal' : 'numeric') : null,
    value: value ?? '', placeholder: shown, list: recommended.length ? `${id}-values` : null, oninput: onchange });
  return recommended.length ? h('span', {}, input, h('datalist', { id: `${id}-values` }, recommended.map((one) => h('option', { value: String(one) })))) : input;
}

// Puts a field made anew where the old one was; who was typing there goes on typing.
function takePlace(old, next) {
  const typing = document.activeElement === old.input;
  old.element.replaceWith(next.element);
  if (!typing) return;
  next.input.focus({ preventScroll: true });
  if (next.input.matches('input')) next.input.setSelectionRange(old.input.selectionStart, old.input.selectionEnd);
}

export function formView({ className, name, config }) {
  const editing = config !== undefined;
  const values = { ...(config || { 'connector.class': className, name: '' }) };
  const fields = new Map(); // key -> {element, errors, shape}
  const groups = new Map(); // name -> {element, body, item, count}
  let everything = false, asText = false, known = new Set(), errorCount = 0, timer = null, round = 0, touched = new Set(), submitted = editing;

  const problem = h('div', { class: 'alert', role: 'alert', hidden: true });
  const summary = h('span', { class: 'dim grow', role: 'status' }, 'Checking');
  const save = h('button', { type: 'submit', class: 'primary' }, editing ? 'Save' : 'Create');
  const initial = h('select', { 'aria-label': 'Initial state' }, ['RUNNING', 'PAUSED', 'STOPPED'].map((word) => h('option', { value: word }, `start ${word.toLowerCase()}`)));
  const sections = h('div', { class: 'stack' });
  const others = h('div', {});
  const list = h('ul', {});
  const find = h('input', { type: 'search', placeholder: 'Find an option', 'aria-label': 'Find an option', oninput: showHide });
  const modes = [['key', 'Essential'], ['all', 'All options'], ['text', 'As text']].map(([key, label]) => h('button', { type: 'button', 'data-mode': key, 'aria-pressed': String(key === 'key'), onclick: () => setMode(key) }, label));
  const area = h('textarea', { 'aria-label': 'Configuration as text', spellcheck: 'false', hidden: true, oninput: () => { readText(); later(); } });
  const newKey = h('input', { type: 'text', placeholder: 'another.key', 'aria-label': 'Key to add', spellcheck: 'false' });
  const addKey = () => {
    const key = newKey.value.trim();
    if (!key) return;
    values[key] = values[key] ?? '';
    newKey.value = '';
    drawOthers();
    others.querySelector(`[data-key="${CSS.escape(key)}"] input`)?.focus();
  };
  const extra = h('section', { class: 'panel' }, h('header', {}, h('h2', { class: 'grow' }, 'Other keys')), others,
    h('div', { class: 'field' }, h('div', {}, newKey), h('div', {}, h('button', { type: 'button', onclick: addKey }, 'Add key'))));
  newKey.addEventListener('keydown', (event) => { if (event.key === 'Enter') { event.preventDefault(); addKey(); } });
  const form = h('form', { class: 'stack', novalidate: true, onsubmit: (event) => { event.preventDefault(); send(); } }, problem, area, sections, extra,
    h('div', { class: 'bar' }, summary, !editing && initial, h('a', { class: 'button', href: editing ? `#/connector/${encodeURIComponent(name)}` : '#/new' }, 'Cancel'), save));
  const element = h('div', { class: 'stack' },
    h('div', { class: 'row' }, h('div', { class: 'grow' }, h('h1', {}, editing ? `Edit ${name}` : 'New connector'), h('span', { class: 'dim mono' }, values['connector.class'] || className)),
      h('div', { class: 'segments', role: 'group', 'aria-label': 'How much is shown' }, modes)),
    h('div', { class: 'form' }, h('nav', { class: 'side', 'aria-label': 'Groups of options' }, find, list), form));

  function setMode(mode) {
    const fromText = asText && mode !== 'text';
    if (fromText) readText();
    everything = mode === 'all';
    asText = mode === 'text';
    for (const one of modes) one.setAttribute('aria-pressed', String(one.dataset.mode === mode));
    area.hidden = !asText;
    sections.hidden = extra.hidden = asText;
    if (asText) area.value = writeText(masked());
    if (fromText) { for (const field of fields.values()) field.shape = ''; later(0); } // made anew with what the text says
    showHide();
  }
  function readText() {
    try {
      const parsed = parseText(area.value);
      for (const [key, value] of Object.entries(parsed)) if (value === MASK && key in values) parsed[key] = values[key];
      for (const key of Object.keys(values)) delete values[key];
      Object.assign(values, parsed);
      problem.hidden = true;
    } catch (error) {
      problem.textContent = `This is no JSON: ${error.message}`;
      problem.hidden = false;
    }
  }
  const masked = () => Object.fromEntries(Object.entries(cleaned()).map(([key, value]) =>
    [key, value && fields.get(key)?.definition.type === 'PASSWORD' ? MASK : value]));
  const cleaned = () => Object.fromEntries(Object.entries(values).filter(([key, value]) => value !== '' || !known.has(key)));

  function group(title) {
    let one = groups.get(title);
    if (one) return one;
    const body = h('div', {});
    const count = h('span', { class: 'count', hidden: true });
    const section = h('fieldset', { class: 'panel' }, h('header', {}, h('legend', {}, title)), body);
    const item = h('li', {}, h('button', { type: 'button', onclick: () => {
      section.scrollIntoView({ block: 'start', behavior: 'auto' });
      section.querySelector('.field:not([hidden]) input, .field:not([hidden]) select')?.focus({ preventScroll: true });
    } }, title, count));
    sections.append(section);
    list.append(item);
    groups.set(title, one = { element: section, body, item, count });
    return one;
  }

  function drawField({ definition, value }) {
    const key = definition.name;
    const id = `field-${key.replace(/[^A-Za-z0-9_-]/g, '_')}`;
    const errors = value.errors || [];
    const recommended = value.recommended_values || [];
    const shape = JSON.stringify([definition.type, definition.default_value, definition.group, recommended]);
    let field = fields.get(key);
    if (!field || field.shape !== shape) { // kept while only its errors change, so that typing goes on
      const input = control(definition, values[key], id, recommended, (event) => { values[key] = event.target.value; touched.add(key); later(); });
      const list_ = h('ul', { class: 'errors', id: `${id}-errors` });
      const name_ = definition.display_name && definition.display_name !== key ? definition.display_name : key;
      const made = h('div', { class: 'field' }, h('div', {}, h('label', { for: id }, name_), definition.required && h('span', { class: 'must' }, 'required'),
        h('span', { class: 'key' }, name_ !== key && `${key} · `, `${definition.type.toLowerCase()} · ${definition.importance.toLowerCase()} importance`)),
        h('div', {}, input, list_, h('p', { class: 'doc', id: `${id}-doc` }, (definition.documentation || '').replace(/<\/?[a-z]+>/g, ''))));
      const next = { element: made, list: list_, shape, definition, input: input.matches('input, select') ? input : input.querySelector('input') };
      if (field) takePlace(field, next);
      fields.set(key, field = next);
    }
    field.visible = value.visible !== false;
    field.failing = errors.length > 0;
    // An empty form is not yet wrong: what was not touched stays quiet until it is sent.
    const shown = submitted || touched.has(key) || (values[key] ?? '') !== '' ? errors : [];
    field.list.replaceChildren(...shown.map((text) => h('li', {}, text)));
    field.element.classList.toggle('invalid', shown.length > 0);
    field.input.setAttribute('aria-invalid', String(shown.length > 0));
    field.loud = shown.length;
    return field;
  }

  function drawOthers() {
    const keys = Object.keys(values).filter((key) => !known.has(key)).sort();
    others.replaceChildren(...keys.map((key) => {
      const id = `other-${key.replace(/[^A-Za-z0-9_-]/g, '_')}`;
      return h('div', { class: 'field', 'data-key': key }, h('div', {}, h('label', { for: id, class: 'mono' }, key)),
        h('div', { class: 'row' }, h('span', { class: 'grow' }, h('input', { id, type: 'text', value: values[key], spellcheck: 'false', oninput: (event) => { values[key] = event.target.value; later(); } })),
          h('button', { type: 'button', class: 'small', 'aria-label': `Remove ${key}`, onclick: () => { delete values[key]; drawOthers(); later(); } }, 'Remove')));
    }));
  }

  function essential(field) {
    const definition = field.definition;
    return definition.required || definition.importance === 'HIGH' || (values[definition.name] ?? '') !== '' || field.loud > 0 ||
      definition.name === 'name' || definition.name === 'topics' || definition.name === 'tasks.max';
  }
  function showHide() {
    const text = find.value.toLowerCase();
    for (const one of groups.values()) one.any = false;
    for (const [key, field] of fields) {
      const matches = !text || `${key} ${field.definition.display_name || ''} ${field.definition.documentation || ''}`.toLowerCase().includes(text);
      field.element.hidden = !known.has(key) || key === 'connector.class' || !matches || !(text || everything || essential(field)) || (!field.visible && !text);
      const one = groups.get(field.definition.group || 'Options');
      if (one && !field.element.hidden) one.any = true;
    }
    for (const one of groups.values()) one.element.hidden = one.item.hidden = !one.any;
  }

  function draw(answer) {
    known = new Set(answer.configs.map((one) => one.definition.name));
    for (const title of answer.groups) group(title);
    const counts = new Map();
    const placed = new Map();
    const sorted = [...answer.configs].sort((a, b) => a.definition.order - b.definition.order);
    for (const one of sorted) {
      const title = one.definition.group || 'Options';
      const field = drawField(one);
      if (field.loud) counts.set(title, (counts.get(title) || 0) + field.loud);
      const place = group(title).body, at = placed.get(title) || 0;
      if (place.children[at] !== field.element) place.insertBefore(field.element, place.children[at] || null);
      placed.set(title, at + 1);
    }
    for (const [key, field] of fields) {
      if (!known.has(key)) { field.element.remove(); fields.delete(key); }
    }
    for (const [title, one] of groups) {
      one.count.textContent = String(counts.get(title) || '');
      one.count.hidden = !counts.get(title);
      const order = answer.groups.indexOf(title);
      if (order >= 0 && sections.children[order] !== one.element) {
        sections.insertBefore(one.element, sections.children[order] || null);
        list.insertBefore(one.item, list.children[order] || null);
      }
    }
    if (!others.contains(document.activeElement)) drawOthers();
    errorCount = answer.error_count;
    const loud = [...counts.values()].reduce((sum, count) => sum + count, 0);
    summary.textContent = errorCount === 0 ? 'Ready: no errors' : loud === 0 ? 'Fill in what is required' : `${loud} ${loud === 1 ? 'error' : 'errors'}`;
    showHide();
  }

  async function check() {
    const mine = ++round;
    try {
      const answer = await call('PUT', `/connector-plugins/${encodeURIComponent(values['connector.class'] || className)}/config/validate`, cleaned());
      if (mine === round) { draw(answer); problem.hidden = true; }
    } catch (error) {
      if (mine !== round) return;
      summary.textContent = 'Could not be checked';
      problem.textContent = error.message;
      problem.hidden = false;
    }
  }
  function later(wait = WAIT_MS) {
    clearTimeout(timer);
    timer = setTimeout(check, wait);
  }

  async function send() {
    clearTimeout(timer);
    if (asText) readText();
    submitted = true;
    save.disabled = true;
    await check();
    if (errorCount === 0 && problem.hidden) {
      const body = cleaned();
      try {
        if (editing) await call('PUT', connectorPath(name, '/config'), body);
        else await call('POST', '/connectors', { name: body.name, config: body, initial_state: initial.value });
        await refresh();
        toast(editing ? `${name} has its new configuration` : `${body.name} was created`);
        location.hash = `#/connector/${encodeURIComponent(editing ? name : body.name)}`;
        return;
      } catch (error) {
        problem.textContent = error.message;
        problem.hidden = false;
        problem.scrollIntoView({ block: 'center' });
      }
    } else {
      const first = [...fields.values()].find((field) => field.loud > 0 && !field.element.hidden);
      if (first && !asText) { first.element.scrollIntoView({ block: 'center' }); first.input.focus({ preventScroll: true }); }
      if (asText && problem.hidden) {
        problem.textContent = [...fields.values()].filter((field) => field.loud).map((field) => `${field.definition.name}: ${[...field.list.children].map((one) => one.textContent).join(' ')}`).join('\n');
        problem.hidden = false;
      }
    }
    save.disabled = false;
  }
  check().then(() => { if (!editing) fields.get('name')?.input.focus(); });
  return { element, update() {}, title: editing ? `Edit ${name}` : 'New connector', close: () => clearTimeout(timer) };
}

export function editView(name) {
  const holder = h('div', {}, h('p', { class: 'empty' }, 'Loading'));
  let inner = null;
  call('GET', connectorPath(name, '/config')).then((config) => {
    inner = formView({ className: config['connector.class'], name, config });
    holder.replaceChildren(inner.element);
  }, (error) => holder.replaceChildren(h('div', { class: 'panel empty' }, h('p', {}, error.message), h('a', { class: 'button', href: '#/' }, 'All connectors'))));
  return { element: holder, update() {}, title: `Edit ${name}`, close: () => inner?.close() };
}

function pluginCard(plugin, link) {
  const short = plugin.class.split('.').at(-1);
  return h(link ? 'a' : 'div', { class: 'panel plugin', href: link ? `#/new/${encodeURIComponent(plugin.class)}` : null },
    h('span', { class: 'row' }, h('strong', { class: 'grow' }, short), h('span', { class: 'tag' }, plugin.type.replace('_', ' '))),
    h('small', {}, plugin.class), h('small', {}, plugin.version ? ` · ${plugin.version}` : ''));
}

// All plugins, or the connectors among them as a choice.
export function pluginsView(choosing) {
  const search = h('input', { type: 'search', placeholder: 'Filter', 'aria-label': 'Filter plugins', oninput: draw });
  const box = h('div', { class: 'plugins' });
  const note = h('p', { class: 'empty' }, 'Loading');
  const element = h('div', { class: 'stack' }, h('div', { class: 'row' }, h('div', { class: 'grow' }, h('h1', {}, choosing ? 'New connector' : 'Plugins'),
    choosing && h('span', { class: 'dim' }, 'Which class?')), h('div', {}, search)), note, box);
  let plugins = [];
  function draw() {
    const text = search.value.toLowerCase();
    const shown = plugins.filter((plugin) => plugin.class.toLowerCase().includes(text));
    box.replaceChildren(...shown.map((plugin) => pluginCard(plugin, choosing || plugin.type === 'source' || plugin.type === 'sink')));
    note.hidden = shown.length > 0;
    note.textContent = plugins.length ? 'Nothing matches' : 'There are no plugins; plugin.path of the worker names folders with them.';
  }
  call('GET', `/connector-plugins?connectorsOnly=${choosing}`).then((answer) => { plugins = answer; draw(); }, (error) => { note.textContent = error.message; });
  return { element, update() {}, title: choosing ? 'New connector' : 'Plugins', shown() { if (choosing) { search.focus(); return true; } return false; } };
}
