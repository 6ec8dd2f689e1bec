// Which view is shown, and the one poll that feeds it.
import { call, refresh, state, PERIOD_MS } from './api.js';
import { listView } from './list.js';
import { detailView } from './detail.js';
import { formView, editView, pluginsView } from './form.js';
import { h } from './dom.js';

const main = document.getElementById('main');
let view = null;

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function make() {
  const [kind = '', name, tab] = location.hash.replace(/^#\/?/, '').split('/').map(decode);
  if (kind === 'connector' && name) return detailView(name, tab);
  if (kind === 'edit' && name) return editView(name);
  if (kind === 'new') return name ? formView({ className: name }) : pluginsView(true);
  if (kind === 'plugins') return pluginsView(false);
  return listView();
}

function show() {
  if (location.hash === '#main') return;
  const first = view === null;
  view?.close?.();
  view = make();
  main.replaceChildren(view.element);
  document.title = `${view.title} · sluice`;
  for (const link of document.querySelectorAll('[data-nav]')) {
    const here = link.dataset.nav === 'plugins' ? location.hash.startsWith('#/plugins') : !location.hash.startsWith('#/plugins');
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  view.update();
  window.scrollTo(0, 0);
  if (!view.shown?.() && !first) main.focus(); // whoever reads by ear hears the new view
}

function showLive() {
  const live = document.getElementById('live');
  live.classList.toggle('lost', !!state.error);
  const text = state.error ? (state.error.status === 0 ? 'No answer' : state.error.message) : 'Live';
  if (live.textContent !== text) live.textContent = text;
}

async function poll() {
  if (!document.hidden) {
    await refresh();
    showLive();
    view.update();
  }
  setTimeout(poll, PERIOD_MS);
}

document.addEventListener('refreshed', () => view.update());
document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input, textarea, select, dialog');
  if (event.key === '/' && !typing && view.focusFilter && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    view.focusFilter();
  }
});
window.addEventListener('hashchange', show);
call('GET', '/').then((info) => {
  document.getElementById('worker').replaceChildren(h('span', {}, location.host), h('span', {}, ` · Connect ${info.version}`));
}, () => {});
show();
poll();
