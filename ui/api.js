// The admin API, as any client uses it, and what was seen of it lately.

const PATIENCE_MS = 100000; // longer than the 90 s that the worker has for an answer
const POLL_PATIENCE_MS = 10000;

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function call(method, path, body, patience = PATIENCE_MS) {
  const options = { method, headers: { Accept: 'application/json' }, credentials: 'same-origin', signal: AbortSignal.timeout(patience) };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers['Content-Type'] = 'application/json';
  }
  let answer, text;
  try {
    answer = await fetch(path, options);
    text = await answer.text();
  } catch {
    throw new ApiError(0, 'The worker does not answer.');
  }
  let json = null;
  try {
    json = text ? JSON.parse(text) : null;
  } catch { /* not JSON: the status tells */ }
  if (!answer.ok) throw new ApiError(answer.status, (json && json.message) || `HTTP ${answer.status}`);
  return json;
}

export const connectorPath = (name, rest = '') => `/connectors/${encodeURIComponent(name)}${rest}`;

export const PERIOD_MS = 2000;
export const HISTORY = 150; // 5 minutes

// What all views show: connectors by name, and how fast their records moved.
export const state = { connectors: null, error: null, history: new Map() };

function remember(name, metrics, now) {
  let seen = state.history.get(name);
  if (!seen) state.history.set(name, seen = { at: 0, records: 0, bytes: 0, rates: [], byteRate: 0, tasks: new Map() });
  if (seen.at && metrics) {
    const seconds = (now - seen.at) / 1000;
    seen.rates.push(Math.max(0, (metrics.records - seen.records) / seconds));
    seen.byteRate = Math.max(0, (metrics.bytes - seen.bytes) / seconds);
    if (seen.rates.length > HISTORY) seen.rates.shift();
    for (const task of metrics.tasks) {
      const before = seen.tasks.get(task.id);
      task.rate = before === undefined ? null : Math.max(0, (task.records - before) / seconds);
    }
  }
  seen.at = now;
  seen.tasks = new Map(metrics?.tasks.map((task) => [task.id, task.records]));
  seen.records = metrics ? metrics.records : 0;
  seen.bytes = metrics ? metrics.bytes : 0;
}

export async function refresh() {
  try {
    const answer = await call('GET', '/connectors?expand=status&expand=info&expand=metrics', undefined, POLL_PATIENCE_MS);
    const now = performance.now();
    state.connectors = new Map(Object.entries(answer).map(([name, entry]) => {
      remember(name, entry.metrics, now);
      const history = state.history.get(name);
      return [name, { name, ...entry, rates: history.rates, rate: history.rates.at(-1) ?? null, byteRate: history.byteRate }];
    }));
    for (const name of state.history.keys()) if (!state.connectors.has(name)) state.history.delete(name);
    state.error = null;
  } catch (error) {
    state.error = error;
  }
}

// What a connector is, all in all: FAILED where one of its tasks is.
export function overall(connector) {
  const own = connector.status.connector.state;
  return own === 'RUNNING' && connector.status.tasks.some((task) => task.state === 'FAILED') ? 'FAILED' : own;
}
