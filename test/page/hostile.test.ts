import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../support/wait.ts';
import { type Account, type House, newAccount, openHouse, signIn, type Visit } from './visit.ts';

// What people write, and what programs say of themselves, is text in every place, never code. The house fails when it is
// closed if a console has shown that the policy of the page refused something.

const OWNED = `document.documentElement.dataset.owned='1'`;
const evil = `<img src=x onerror="${OWNED}"><script>${OWNED}</script><a href="javascript:${OWNED}">x</a>{{7*7}}"'`;

let house: House;
let account: Account;
const ids: Record<string, string> = {};
beforeAll(async () => {
  house = await openHouse();
  account = await newAccount(house.stack);
  const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  const soon = new Date(Date.now() + 61_500).toISOString();
  for (const [name, task] of Object.entries({
    late: { due_date: at(-30) },
    today: { due_date: at(0.2), priority: 'urgent' },
    later: { due_date: at(60) },
    rung: { due_date: soon, reminder_offset: '1 minute' },
    series: { due_date: at(1), recurrence_pattern: 'daily:' },
    done: {},
  })) {
    const made = await account.call<{ id: string }>('POST', '/tasks', { title: evil, description: evil, ...task });
    ids[name] = made.id;
  }
  await account.call('PATCH', `/tasks/${ids.done}`, { completed: true });
  // A program with a name, whose changes are noticed; and a device with one.
  const { token } = await account.call<{ token: string }>('POST', '/auth/tokens', {
    name: evil.slice(0, 60),
    scopes: ['tasks:write'],
    expires_in_days: 1,
  });
  const changed = await fetch(house.stack.url(`/api/v1/tasks/${ids.later}`), {
    method: 'PATCH',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ title: `${evil} again`, description: null }),
  });
  expect(changed.status).toBe(200);
  const login = await fetch(house.stack.url('/api/v1/auth/login'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': evil },
    body: JSON.stringify({ email: account.email, password: account.password }),
  });
  expect(login.status).toBe(200);
  await house.stack.settled();
}, 300_000);
afterAll(() => house?.close());

/** As text it may stand there; as an element, a handler or a link it may not. */
async function expectText({ page }: Pick<Visit, 'page'>): Promise<void> {
  const found = await page.evaluate<string[]>(`
    [...document.querySelectorAll('img[src="x"], script:not([src]), [onerror], a[href^="javascript"]')].map((one) => one.outerHTML)`);
  expect(found).toEqual([]);
  expect(await page.evaluate<string | undefined>('document.documentElement.dataset.owned')).toBeUndefined();
}

const query = encodeURIComponent(evil);

describe('hostile text', () => {
  test.each(['/sign-up?code=', '/reset?code=', '/?next='])('at the door, by the address %s…', async (path) => {
    await using visit = await house.visit();
    await visit.page.goto(path + query);
    await visit.page.getByRole('heading', { level: 1 }).waitFor();
    await visit.page.locator('input').first().fill(evil);
    await expectText(visit);
  });

  test('on every screen', async () => {
    await using visit = await house.visit({ viewport: { width: 1280, height: 800 } });
    const { page } = visit;
    await signIn(page, account);
    await page.getByRole('article', { name: 'Reminder:' }).waitFor();
    const places = await page
      .locator('nav a')
      .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
    expect(places.length).toBeGreaterThan(6);
    for (const path of [...places, `/search?q=${query}`, `/?q=${query}`, '/%3Cimg%20src=x%3E']) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByText('Live', { exact: true }).waitFor();
      if (path === '/inbox') await page.locator('.inbox li', { hasText: 'onerror' }).first().waitFor();
      if (path === '/settings') await page.locator('.access', { hasText: 'onerror' }).first().waitFor();
      await expectText(visit);
    }
  }, 300_000);

  test('in the address of a task that there is not', async () => {
    await using visit = await house.visit({ inTrouble: true }); // the console shows the 404
    await signIn(visit.page, account);
    await visit.page.goto(`/?task=${query}`);
    await visit.page.getByText('This task is not there any more.').waitFor();
    await expectText(visit);
  });

  test('in what is asked of who was slower, and of who leaves what he wrote', async () => {
    await using visit = await house.visit({ viewport: { width: 1280, height: 800 }, inTrouble: true });
    const { page } = visit;
    const shown: string[] = [];
    visit.context.on('console', (message) => message.type() === 'error' && shown.push(message.text()));
    await signIn(page, account);
    await page.goto(`/all?task=${ids.today}`);
    await page.getByLabel('Title').fill(`${evil} mine`);
    await account.call('PATCH', `/tasks/${ids.today}`, { title: `${evil} theirs`, description: `${evil}!` });
    await page.getByLabel('Title').press('Control+Enter');
    const conflict = page.getByRole('dialog', { name: 'Changed elsewhere' });
    await conflict.waitFor();
    expect(await conflict.getByRole('cell').allInnerTexts()).toEqual([`${evil} mine`, `${evil} theirs`]);
    await expectText(visit);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Close the task' }).click();
    await page.getByRole('dialog', { name: 'Not saved yet' }).waitFor();
    await expectText(visit);
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.locator('.detail').waitFor({ state: 'detached' });
    expect(shown).toEqual([expect.stringContaining('412')]);
  });

  test('in a task, its history and what the page says of it', async () => {
    await using visit = await house.visit({ viewport: { width: 1280, height: 800 } });
    const { page } = visit;
    await signIn(page, account);
    for (const id of [ids.later, ids.series, ids.rung]) {
      await page.goto(`/all?task=${id}`);
      await page.getByLabel('Title').waitFor();
      await page.getByText('History').click();
      await page.locator('.history li').first().waitFor();
      await expectText(visit);
    }
    await page.goto('/all');
    await page.getByLabel('Add a task').fill(`${evil} every day 9:00`);
    await page.locator('.chips li').first().waitFor();
    await expectText(visit);
    await page.keyboard.press('Enter');
    await page.getByText('Added: <img').waitFor();
    await page.getByLabel('Complete: <img').first().click();
    await page.getByText('Done: <img').waitFor();
    await expectText(visit);
    const more = page.getByRole('button', { name: 'More: <img' }).first();
    await page.locator('.row').first().hover();
    await more.click();
    await page.getByRole('menu').waitFor();
    await expectText(visit);
    await eventually(async () => (await page.title()) === 'TaskFlow');
  }, 300_000);
});
