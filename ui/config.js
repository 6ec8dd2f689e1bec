// The configuration as it is, secrets masked by the types that the classes declare.
import { h } from './dom.js';
import { call } from './api.js';

const secretWords = /(password|secret|token|credential|jaas|private.?key|access.?key|api.?key)/i;

// Names that are PASSWORD options of this class and of what it is configured with.
export async function secretNames(config) {
  try {
    const answer = await call('PUT', `/connector-plugins/${encodeURIComponent(config['connector.class'])}/config/validate`, config);
    return new Set(answer.configs.filter((one) => one.definition.type === 'PASSWORD').map((one) => one.definition.name));
  } catch {
    return null; // the words of the keys have to do
  }
}

export function configTab() {
  const list = h('dl', { class: 'pairs' });
  const element = h('section', { class: 'panel' }, h('header', {}, h('h2', { class: 'grow' }, 'Configuration'),
    h('button', { type: 'button', class: 'small', onclick: copy }, 'Copy as JSON')), list);
  let told = '', secrets = null, shown = {};
  async function copy(event) {
    const button = event.currentTarget;
    await navigator.clipboard.writeText(JSON.stringify(shown, null, 2));
    button.textContent = 'Copied, without secrets';
  }
  function draw(config) {
    shown = Object.fromEntries(Object.entries(config).map(([key, value]) =>
      [key, (secrets ? secrets.has(key) : false) || secretWords.test(key) ? '••••••••' : value]));
    list.replaceChildren(...Object.keys(shown).sort().flatMap((key) => [h('dt', {}, key), h('dd', {}, shown[key] ?? '')]));
  }
  return { element, update(connector) {
    const now = JSON.stringify(connector.info.config);
    if (now === told) return;
    told = now;
    draw(connector.info.config);
    secretNames(connector.info.config).then((names) => { secrets = names; draw(connector.info.config); });
  } };
}
