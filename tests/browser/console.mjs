// The web console in headless Chromium. node console.mjs URL SHOTS: prints `ok NAME` or `not ok NAME: why` a test;
// SHOTS: folder for screenshots, or `-`. Started by tests/integration/test_console.py, which made the connectors.
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(join(process.env.PLAYWRIGHT || process.cwd(), 'x.js'));
const { chromium } = require('playwright-core');
const [url, shots] = process.argv.slice(2);
const HOSTILE = '<img src=x onerror=alert(1)>';
const profile = mkdtempSync(join(tmpdir(), 'sluice-console-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true, colorScheme: 'light', viewport: { width: 1280, height: 800 },
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = context.pages()[0];
page.setDefaultTimeout(45000);
const outside = [], problems = [];
let dialogs = 0;
page.on('request', (request) => { if (!request.url().startsWith(url)) outside.push(request.url()); });
page.on('console', (message) => { if (message.type() === 'error') problems.push(message.text()); });
page.on('pageerror', (error) => problems.push(String(error)));
page.on('dialog', (dialog) => { dialogs++; dialog.dismiss(); });

let failed = 0;
async function test(name, body) {
  try {
    await body();
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${name}: ${String(error.stack || error).split('\n').slice(0, 6).join(' | ')}`);
  }
}
function assert(condition, what) {
  if (!condition) throw new Error(what);
}
const open = async (hash) => { await page.goto(`${url}/ui${hash}`); await page.reload(); };
async function shot(name, options = {}) {
  if (shots !== '-') await page.screenshot({ path: join(shots, `${name}.png`), ...options });
}
const api = (method, path, body) => page.evaluate(async ([m, p, b]) => {
  const answer = await fetch(p, { method: m, headers: { 'Content-Type': 'application/json' }, body: b && JSON.stringify(b) });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
}, [method, path, body]);
async function until(what, condition, patience = 45000) {
  const end = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
    await page.waitForTimeout(100);
  }
}
const row = (name) => page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
const live = () => page.waitForFunction(() => document.querySelectorAll('.spark .line').length > 0);

await test('list', async () => {
  await open('');
  await row('pins-lake').waitFor();
  await row('pins-lake').getByText('Running').waitFor();
  await row('orders-mirror').getByText('Failed').waitFor();
  await until('records', async () => /[1-9]/.test(await page.locator('.figure', { hasText: 'Records per second' }).locator('dd').innerText()));
  assert((await page.title()) === 'Connectors · sluice', await page.title());
});

await test('a hostile name is text', async () => {
  await page.getByRole('link', { name: HOSTILE, exact: true }).click(); // the name as it is
  await page.getByRole('heading', { level: 1, name: HOSTILE }).waitFor();
  await page.getByRole('tab', { name: 'Log' }).click();
  await page.getByRole('tab', { name: 'Configuration' }).click();
  assert(await page.locator('img').count() === 0, 'an element was made of it');
  assert(dialogs === 0, 'its script ran');
  assert((await api('DELETE', `/connectors/${encodeURIComponent(HOSTILE)}`)).status === 204, 'it goes');
  assert((await api('PUT', '/connectors/orders-archive/pause')).status === 202, 'one that is paused, to look at');
});

await test('filter, sort and keys', async () => {
  await open('');
  await row('pins-lake').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('pins');
  await until('the filter', async () => (await page.locator('tbody tr').count()) === 2);
  await page.keyboard.press('Tab'); // to the state filter
  await page.getByRole('button', { name: 'Failed' }).press('Enter');
  await page.getByText('Nothing matches').waitFor();
  await page.getByRole('button', { name: 'Clear the filter' }).press('Enter');
  await page.getByRole('button', { name: 'Connector', exact: true }).press('Enter');
  await until('the other order', async () => (await page.locator('th[aria-sort]').getAttribute('aria-sort')) === 'descending');
  await page.getByRole('button', { name: 'Connector', exact: true }).press('Enter');
});

await test('list, pictures', async () => {
  await page.waitForTimeout(shots === '-' ? 0 : 44000); // lines to look at
  await live();
  await page.mouse.move(0, 0);
  await page.evaluate(() => document.activeElement.blur());
  await shot('console-list');
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert(dark.match(/\d+/g).every((part) => Number(part) < 60), `dark background: ${dark}`);
  await shot('console-list-dark');
  await page.setViewportSize({ width: 390, height: 844 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert(wide <= 390, `a narrow screen scrolls sideways: ${wide}`);
  await shot('console-narrow');
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: 'light' });
});

await test('detail', async () => {
  await row('pins-lake').getByRole('link').click();
  await page.getByRole('heading', { level: 1, name: 'pins-lake' }).waitFor();
  await until('records of its task', async () => /[1-9]/.test(await page.locator('tbody tr td[data-label=Records]').first().innerText()));
  await page.locator('.chart .line').waitFor();
  await shot('console-detail');
  const tab = page.getByRole('tab', { name: 'Overview' });
  await tab.focus();
  await page.keyboard.press('ArrowRight');
  await page.getByRole('tab', { name: 'Configuration', selected: true }).waitFor();
  await page.waitForFunction(() => document.activeElement.getAttribute('role') === 'tab');
  const text = await page.locator('dl.pairs').innerText();
  assert(text.includes('flush.size') && text.includes('••••') && !text.includes('hunter2'), 'the secret is masked');
  await page.getByRole('tab', { name: 'Log' }).click();
  await page.locator('.log div').first().waitFor();
});

await test('a failure is explained', async () => {
  await open('#/connector/orders-mirror');
  await page.locator('.trace pre').first().waitFor();
  assert((await page.locator('.trace summary').first().innerText()).includes('failed'), 'a summary');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shot('console-failed-dark');
  await page.emulateMedia({ colorScheme: 'light' });
});

await test('pause, resume, stop, restart', async () => {
  await open('#/connector/pins-source');
  const press = (name) => page.getByRole('button', { name, exact: true }).press('Enter');
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await press('Pause');
  await until('paused', async () => (await api('GET', '/connectors/pins-source/status')).body.tasks.every((task) => task.state === 'PAUSED'));
  await page.locator('h1 + .state.PAUSED').waitFor();
  await press('Resume');
  await page.locator('h1 + .state.RUNNING').waitFor();
  await press('Restart');
  await until('running', async () => (await api('GET', '/connectors/pins-source/status')).body.tasks.every((task) => task.state === 'RUNNING'));
  await press('Stop');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' }); // Escape closes
  assert(await page.evaluate(() => document.activeElement.textContent) === 'Stop', 'the focus comes back');
  await press('Stop');
  await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).press('Enter');
  await page.locator('h1 + .state', { hasText: 'Stopped' }).waitFor();
  await press('Resume');
  await page.locator('h1 + .state.RUNNING').waitFor();
});

await test('create, by keys alone', async () => {
  await open('#/new');
  await page.getByLabel('Filter plugins').waitFor();
  await page.keyboard.type('LineSource');
  await until('one card', async () => (await page.locator('a.plugin').count()) === 1);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('#field-name').waitFor();
  await page.waitForFunction(() => document.activeElement.id === 'field-name');
  await page.keyboard.press('Enter'); // nothing filled in yet
  await page.locator('.field.invalid').first().waitFor();
  await page.locator('#field-name').fill('made here');
  await page.locator('#field-topic').fill('made');
  await page.locator('#field-file').fill('/dev/null');
  await page.locator('#field-tasks_max').fill('none');
  await page.locator('.field.invalid', { hasText: 'tasks.max' }).locator('.errors li').first().waitFor();
  assert(await page.locator('#field-tasks_max').getAttribute('aria-invalid') === 'true', 'aria-invalid');
  await page.locator('#field-tasks_max').fill('1');
  await page.getByText('Ready: no errors').waitFor();
  await page.locator('#field-topic').press('Enter');
  await page.getByRole('heading', { level: 1, name: 'made here', exact: true }).waitFor();
  await page.locator('h1 + .state.RUNNING').waitFor();
});

await test('typing goes on while the form is drawn anew', async () => {
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await page.locator('#field-topic').waitFor();
  let asked, held = [];
  await page.route('**/config/validate', async (route) => {
    if (held) await new Promise((go) => { held.push(go); asked(); });
    await route.continue();
  });
  try {
    for (const before of ['All options', 'As text']) { // from the text, every field is made anew
      await page.getByRole('button', { name: before }).click();
      const check = new Promise((go) => { asked = go; });
      await page.getByRole('button', { name: 'All options' }).click();
      const field = page.locator('#field-transforms');
      await field.press('End');
      await page.keyboard.type('hoi');
      await check; // on its way
      const answer = page.waitForResponse('**/config/validate');
      held.pop()();
      await (await answer).finished();
      await page.evaluate(() => new Promise(requestAnimationFrame)); // drawn
      await page.keyboard.type('st');
      assert(await field.inputValue() === 'hoist', `${before}: ${await field.inputValue()}`);
      await field.fill('');
    }
  } finally {
    held.splice(0).forEach((go) => go());
    held = null;
  }
  await page.getByText('Ready: no errors').waitFor();
  await page.getByRole('link', { name: 'Cancel' }).click();
});

await test('edit', async () => {
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await page.locator('#field-topic').waitFor();
  assert(await page.locator('#field-topic').inputValue() === 'made', 'the value it has');
  await page.getByRole('button', { name: 'All options' }).click();
  await page.locator('#field-transforms').fill('hoist');
  await page.locator('#field-transforms_hoist_type').waitFor(); // its options come with the next check
  await page.locator('#field-transforms_hoist_type').fill('org.apache.kafka.connect.transforms.HoistField$Value');
  await page.locator('#field-transforms_hoist_field').fill('line'); // there after one more check
  await page.getByText('Ready: no errors').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: 'made here', exact: true }).waitFor();
  const config = (await api('GET', '/connectors/made%20here/config')).body;
  assert(config['transforms.hoist.field'] === 'line' && config.topic === 'made', JSON.stringify(config));
});

await test('as text', async () => {
  await open('#/edit/made%20here');
  await page.getByRole('button', { name: 'As text' }).click();
  const area = page.getByLabel('Configuration as text');
  assert((await area.inputValue()).includes('transforms=hoist\n'), await area.inputValue());
  await area.fill('name=made here\nconnector.class=sluice.test.LineSourceConnector\n# a comment\ntopic: other\nfile = /dev/null\nsome.key=1\n');
  await page.getByText('Ready: no errors').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: 'made here', exact: true }).waitFor();
  const config = (await api('GET', '/connectors/made%20here/config')).body;
  assert(config.topic === 'other' && config['some.key'] === '1' && !config.transforms, JSON.stringify(config));
});

await test('secrets in the text form', async () => {
  await open('#/edit/pins-lake');
  await page.locator('#field-topics').waitFor();
  await page.getByRole('button', { name: 'As text' }).click();
  const area = page.getByLabel('Configuration as text');
  const text = await area.inputValue();
  assert(!text.includes('hunter2') && text.includes('aws.secret.access.key=•'), text);
  await area.fill(text.replace('flush.size=500', 'flush.size=400'));
  await page.getByText('Ready: no errors').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: 'pins-lake', exact: true }).waitFor();
  const config = (await api('GET', '/connectors/pins-lake/config')).body;
  assert(config['aws.secret.access.key'] === 'hunter2' && config['flush.size'] === '400', 'it stays what it was');
  await open('#/connector/made%20here');
});

await test('delete asks first', async () => {
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('dialog').waitFor();
  assert(await page.evaluate(() => document.activeElement.textContent) === 'Cancel', 'Cancel has the focus');
  await page.keyboard.press('Enter');
  assert((await api('GET', '/connectors/made%20here')).status === 200, 'it is still there');
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('heading', { level: 1, name: 'Connectors' }).waitFor({ state: 'attached' });
  assert((await api('GET', '/connectors/made%20here')).status === 404, 'it is gone');
});

await test('sink form, pictures', async () => {
  await open(`#/new/${encodeURIComponent('io.confluent.connect.s3.S3SinkConnector')}`);
  await page.locator('#field-name').waitFor();
  await page.locator('#field-name').fill('archive');
  await page.locator('#field-topics').fill('pins');
  await page.locator('#field-flush_size').fill('many');
  await page.locator('.field.invalid', { hasText: 'flush.size' }).waitFor();
  await page.getByRole('button', { name: 'All options' }).click();
  const secret = page.locator('#field-aws_secret_access_key');
  assert(await secret.getAttribute('type') === 'password', 'a secret is typed unseen');
  await page.getByRole('button', { name: 'Essential' }).click();
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.waitForTimeout(300);
  await shot('console-form');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shot('console-form-dark');
  await page.emulateMedia({ colorScheme: 'light' });
});

await test('sample of records', async () => {
  await open('#/connector/pins-lake/sample');
  await page.getByRole('button', { name: 'Take a sample' }).click();
  await page.locator('.record').first().waitFor();
  const text = await page.locator('.record pre').first().innerText();
  assert(text.includes('"') && text.includes('[hidden]') && !text.includes('s3cr3t'), text);
  await shot('console-sample');
});

await test('every control has a name', async () => {
  for (const hash of ['', '#/connector/pins-lake', '#/connector/pins-lake/logs', '#/new', '#/edit/pins-lake', '#/plugins']) {
    await open(hash);
    await page.locator('h1').first().waitFor();
    await page.waitForTimeout(600); // what is filled in behind it
    const nameless = await page.evaluate(() => [...document.querySelectorAll('button, a[href], input, select, textarea')].filter((element) =>
      !(element.getAttribute('aria-label') || element.textContent.trim() || element.labels?.length)).map((element) => element.outerHTML.slice(0, 120)));
    assert(nameless.length === 0, `${hash}: ${nameless.join(' ')}`);
    assert(await page.locator('h1').count() === 1, `${hash}: one first heading`);
  }
});

await test('the worker is away', async () => {
  await open('');
  await row('pins-lake').waitFor();
  await page.route('**/connectors?**', () => {}); // takes the question, and that is all
  await page.locator('.live.lost').waitFor();
  await page.unroute('**/connectors?**');
  await page.locator('.live:not(.lost)').waitFor();
  await page.route('**/connectors?**', (route) => route.abort());
  await page.locator('.live.lost').waitFor();
  assert(await row('pins-lake').isVisible(), 'what was known stays');
  await page.unroute('**/connectors?**');
  await page.locator('.live:not(.lost)').waitFor();
});

await test('nothing from elsewhere, no errors', async () => {
  assert(outside.length === 0, `asked: ${outside.join(' ')}`);
  const serious = problems.filter((text) => !/Failed to load resource/.test(text));
  assert(serious.length === 0, serious.join(' '));
  const answer = await page.request.get(`${url}/ui`);
  assert(answer.headers()['content-security-policy'].includes("default-src 'none'"), 'policy');
  assert((await page.request.get(`${url}/ui/../etc`)).status() === 404 && (await page.request.get(`${url}/ui/x.js`)).status() === 404, '404');
});

await context.close();
rmSync(profile, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
