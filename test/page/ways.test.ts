import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type House, newAccount, openHouse, signIn, type Visit, violations } from './visit.ts';

let house: House;
beforeAll(async () => void (house = await openHouse()));
afterAll(() => house?.close());

type Page = Visit['page'];

async function atWork(tasks: object[], path: string) {
  const account = await newAccount(house.stack);
  for (const task of tasks) await account.call('POST', '/tasks', task);
  const visit = await house.visit({ viewport: { width: 1280, height: 800 } });
  await signIn(visit.page, account);
  await visit.page.goto(path);
  await visit.page.getByRole('heading', { level: 1 }).waitFor();
  return { account, visit, page: visit.page, [Symbol.asyncDispose]: () => visit.context.close() };
}
const row = (page: Page, title: string) => page.locator('.row', { hasText: title });
const titles = (page: Page) => page.locator('.row-title').allInnerTexts();
const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

test('filters are in the address: a task that is opened, a reload and the way back keep them', async () => {
  const tasks = [
    { title: 'Fence', priority: 'low' },
    { title: 'Offer', priority: 'urgent', due_date: inHours(30) },
    { title: 'Tax', priority: 'urgent', due_date: inHours(60) },
  ];
  await using person = await atWork(tasks, '/all');
  const { page } = person;
  const filter = (name: string) => page.getByRole('search').getByRole('combobox', { name, exact: true });
  await row(page, 'Fence').waitFor();
  await filter('Priority').selectOption('urgent');
  await row(page, 'Fence').waitFor({ state: 'detached' });
  await filter('Sort by').selectOption('title');
  await filter('Show').selectOption('all');
  expect(new URL(page.url()).search).toBe('?priority=urgent&sort=title&show=all');
  await row(page, 'Tax').getByRole('link').click();
  await page.getByLabel('Title').waitFor();
  await page.reload();
  await page.getByLabel('Title').waitFor();
  await page.getByRole('button', { name: 'Close the task' }).click();
  await row(page, 'Tax').waitFor();
  expect(await titles(page)).toEqual(['Offer', 'Tax']);
  expect(await filter('Sort by').inputValue()).toBe('title');
  expect(await filter('Show').inputValue()).toBe('all');
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await row(page, 'Fence').waitFor();
  await page.goBack();
  await row(page, 'Fence').waitFor({ state: 'detached' });
  await filter('Show').selectOption('done');
  await page.getByText('No task is like that.').waitFor();
});

test('a task that was found is opened beside what was found', async () => {
  await using person = await atWork([{ title: 'Ladder' }], '/search?q=ladd');
  const { page } = person;
  await row(page, 'Ladder').getByRole('link').click();
  await page.getByLabel('Title', { exact: true }).waitFor();
  expect(await page.getByRole('searchbox').inputValue()).toBe('ladd');
});

test('what could not be read is no empty answer: it is said, and asked for again', async () => {
  const account = await newAccount(house.stack);
  const { id } = await account.call<{ id: string }>('POST', '/tasks', { title: 'Ladder' });
  await account.call('PATCH', `/tasks/${id}`, { completed: true });
  await using visit = await house.visit({ inTrouble: true });
  const { page } = visit;
  await signIn(page, account);
  const away = /\/api\/v1\/tasks(\/|\?(q|completed=true))/;
  await page.route(away, (route) => route.abort());
  for (const [path, empty] of [
    ['/search?q=ladd', 'Searching …'],
    ['/all?show=done', 'Reading …'],
    ['/done', 'Reading …'],
  ] as const) {
    await page.goto(path);
    await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor();
    await page.getByText(empty).waitFor();
    expect(await page.getByText(/^(Nothing|No task)/).count()).toBe(0);
    await page.unroute(away);
    await row(page, 'Ladder').waitFor();
    await page.route(away, (route) => route.abort());
  }
  await page.goto(`/all?task=${id}`);
  await page.locator('.detail').getByText('cannot be reached').waitFor();
  await page.unroute(away);
  await page.getByLabel('Title').waitFor();
});

test('what rings next is listed with its reason, and changes as the tasks do', async () => {
  const at = { due_date: inHours(30), reminder_offset: '2 hours' };
  await using person = await atWork([{ title: 'Call <b>mum</b>', ...at }], '/reminders');
  const { page, account } = person;
  const next = page.locator('.next li');
  await next.first().waitFor();
  expect(await next.innerText()).toMatch(/in 27 h\s+Call <b>mum<\/b>\s+2 hours before it is due\./);
  await account.call('POST', '/tasks', { title: 'Bake', due_date: inHours(5), reminder_offset: '1 hour' });
  await next.getByText('Bake').waitFor();
  expect(await next.first().innerText()).toContain('Bake');
  expect(await violations(page)).toEqual([]);
  await next.getByText('Bake').click();
  await page.getByLabel('Title').waitFor();
});

describe('the palette', () => {
  test('acts on the task that had the focus, and shows the key of each command', async () => {
    await using person = await atWork([{ title: 'One' }, { title: 'Two' }], '/all');
    const { page } = person;
    await row(page, 'Two').focus();
    await page.keyboard.press('Control+k');
    const list = page.getByRole('listbox');
    await list.waitFor();
    expect(await violations(page)).toEqual([]);
    const top = async () => (await page.getByRole('dialog').boundingBox())?.y;
    const before = await top();
    await page.keyboard.type('complete');
    expect(await top()).toBe(before);
    expect(await list.getByRole('option').first().innerText()).toMatch(/^Complete: Two\s+x$/);
    await page.keyboard.press('Enter');
    await row(page, 'Two').waitFor({ state: 'detached' });
    await list.waitFor({ state: 'detached' });
    expect(await page.locator(':focus').innerText()).toContain('One');
  });

  test('goes anywhere, finds tasks, and is there while one is typing and without single keys', async () => {
    await using person = await atWork([{ title: 'Buy <i>milk</i>' }], '/');
    const { page } = person;
    await page.getByLabel('Add a task').focus();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('milk');
    await page.getByRole('option', { name: 'Buy <i>milk</i>' }).click();
    await page.getByLabel('Title').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('go to ser');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Series', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Search or do' }).click();
    await page.getByRole('combobox').fill('search');
    const everything = 'Search everything for “search”';
    await page.getByRole('option', { name: everything }).waitFor();
    const offered = await page.getByRole('option').locator('span').allInnerTexts();
    expect(offered).toEqual(['Search', everything]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });
});

test('a new version is said, and loaded when one says so: not over what is not saved', async () => {
  await using person = await atWork([{ title: 'Half' }], '/all');
  const { page } = person;
  await page.clock.install();
  await page.reload();
  await row(page, 'Half').getByRole('link').click();
  const look = async () => {
    await page.clock.runFor(61_000);
    const answered = page.waitForResponse((response) => new URL(response.url()).pathname === '/');
    await page.evaluate("dispatchEvent(new Event('focus'))");
    await answered;
  };
  await look();
  expect(await page.getByText('A new version is there.').count()).toBe(0);
  await page.route('**/', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace(/main-\w+\.js/, 'main-00000000.js') });
  });
  await look();
  await page.getByText('A new version is there.').waitFor();
  await page.unroute('**/');
  await page.getByLabel('Title').fill('Half a thought');
  await page.getByRole('button', { name: 'Reload' }).click();
  await page.getByText('Not saved yet').waitFor();
  expect(await page.getByLabel('Title').inputValue()).toBe('Half a thought');
  page.on('dialog', (dialog) => void dialog.accept()); // the browser asks, too
  await page.getByRole('button', { name: 'Reload' }).click();
  await page.getByText('A new version is there.').waitFor({ state: 'detached' });
});
