import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../support/wait.ts';
import { startFront } from './front.ts';
import { type House, newAccount, openHouse, signIn, signOut, type Visit, ZONE } from './visit.ts';

// Tokens live as long as a few requests take.
const TOKEN_SECONDS = 4;
let house: House;
beforeAll(
  async () =>
    void (house = await openHouse({ settings: { 'chat-api': { ACCESS_TOKEN_SECONDS: String(TOKEN_SECONDS) } } })),
);
afterAll(() => house?.close());

type Page = Visit['page'];
const row = (page: Page, title: string) => page.locator('.row', { hasText: title });
const live = (page: Page) => page.getByText('Live', { exact: true }).waitFor();
const add = async (page: Page, line: string) => {
  await page.getByLabel('Add a task').fill(line);
  await page.keyboard.press('Enter');
};
const allSaved = (page: Page) => page.getByTitle('Not answered by the server yet').waitFor({ state: 'detached' });
const dialog = (page: Page) => page.getByRole('dialog', { name: 'Please sign in again' });

/** As an operator would, or the person from another device. */
const endSessions = (email: string) =>
  house.stack.database.sql`
    update sessions set revoked_at = now() where user_id = (select id from users where email = ${email})`;
const titlesOf = async (email: string): Promise<string[]> => {
  const rows = await house.stack.database.sql<{ title: string }[]>`
    select title from tasks join users on users.id = user_id where email = ${email} order by title`;
  return rows.map(({ title }) => title);
};

describe('an access token that has run out', () => {
  test('is refreshed, time after time, and nobody notices: live in all tabs, every change kept', async () => {
    const account = await newAccount(house.stack);
    // Where all of them pass: a browser shows its tests nothing of what a worker asks for.
    let refreshes = 0;
    await using front = startFront(house.url, (request) => {
      if (new URL(request.url).pathname.endsWith('/auth/refresh')) refreshes++;
      return null;
    });
    await using visit = await house.visit({ baseURL: front.url, inTrouble: true }); // what is refused stands red in a console
    const { page } = visit;
    await signIn(page, account);
    const other = await visit.tab('/all');
    await live(other);
    for (let turn = 1; turn <= 3; turn++) {
      const from = Date.now();
      await eventually(() => Date.now() - from > TOKEN_SECONDS * 1000, { ms: 20_000, what: 'the token to run out' });
      await add(page, `Turn ${turn} today`);
      await row(other, `Turn ${turn}`).waitFor();
      await allSaved(page);
      for (const tab of [page, other]) {
        await live(tab);
        expect(await dialog(tab).count()).toBe(0);
      }
      expect(refreshes).toBeGreaterThanOrEqual(turn);
    }
    expect(await titlesOf(account.email)).toEqual(['Turn 1', 'Turn 2', 'Turn 3']);
  });

  test('while nobody can refresh it asks nobody to sign in; what was changed waits', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    await house.stack.kill('chat-api');
    const from = Date.now();
    await eventually(() => Date.now() - from > TOKEN_SECONDS * 1000, { ms: 20_000, what: 'the token to run out' });
    await add(page, 'Written meanwhile today');
    await page.getByText('1 change waits in this tab.').waitFor();
    expect(await dialog(page).count()).toBe(0);
    await house.stack.start('chat-api');
    await allSaved(page);
    await live(page);
    expect(await dialog(page).count()).toBe(0);
    expect(await titlesOf(account.email)).toEqual(['Written meanwhile']);
  });
});

describe('a session that was ended elsewhere', () => {
  test('asks to sign in over the page; the change that met it is sent afterwards, in every tab', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    const other = await visit.tab('/all');
    await live(other);
    await house.stack.kill('notification-service'); // so that the change is what meets it
    await endSessions(account.email);
    await eventually(async () => (await page.request.get('/api/v1/tasks')).status() === 401);
    await add(page, 'Written too late today');
    await dialog(page).waitFor();
    await dialog(page).getByText('Your session has ended').waitFor();
    for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
    expect(await page.locator('dialog:modal').count()).toBe(1);
    await page.getByText('1 change waits in this tab.').waitFor();
    await house.stack.start('notification-service');
    await dialog(other).waitFor();
    await dialog(page).getByLabel('Password', { exact: true }).fill(account.password);
    await page.keyboard.press('Enter');
    for (const tab of [page, other]) {
      await dialog(tab).waitFor({ state: 'detached' });
      await live(tab);
      await row(tab, 'Written too late').waitFor();
    }
    expect(await titlesOf(account.email)).toEqual(['Written too late']);
  });

  test('is live again after signing in over the page, without a shared worker, too', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await visit.context.addInitScript('delete globalThis.SharedWorker');
    await signIn(page, account);
    await endSessions(account.email);
    await dialog(page).getByLabel('Password', { exact: true }).fill(account.password);
    await page.keyboard.press('Enter');
    await dialog(page).waitFor({ state: 'detached' });
    await live(page);
  });

  test('is said at the door, when the page is opened anew', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    await page.goto('about:blank');
    await endSessions(account.email);
    await eventually(async () => (await page.request.get('/api/v1/tasks')).status() === 401); // within a second
    await page.goto('/');
    await page.getByText('Your session has ended.', { exact: true }).waitFor();
  });

  test('of one person is not continued by another: nothing of the first is seen, and nothing sent in the second name', async () => {
    const [anna, ben] = [await newAccount(house.stack), await newAccount(house.stack)];
    await anna.call('POST', '/tasks', { title: 'A secret', due_date: '2026-01-01' });
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, anna);
    await row(page, 'A secret').getByRole('link').click();
    await page.locator('.detail').getByLabel('Title').waitFor();
    await endSessions(anna.email);
    await dialog(page).waitFor();
    await dialog(page).getByLabel('Email').fill(ben.email);
    await dialog(page).getByLabel('Password', { exact: true }).fill(ben.password);
    await page.keyboard.press('Enter');
    await dialog(page).waitFor({ state: 'detached' });
    await live(page);
    await page.getByText('Reading your tasks').waitFor({ state: 'detached' });
    expect(await page.locator('.detail').count()).toBe(0);
    expect(await page.content()).not.toContain('A secret');
  });
});

describe('signing out', () => {
  test('while nobody answers says that one is still signed in, and loses nothing', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    await house.goAway();
    await add(page, 'Not sent yet today');
    await page.getByText('1 change waits').waitFor();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByText('You are still signed in. TaskFlow cannot be reached.').waitFor();
    await row(page, 'Not sent yet').waitFor();
    house.comeBack();
    await allSaved(page);
    await signOut(page);
    expect(await titlesOf(account.email)).toEqual(['Not sent yet']);
  });

  test('while a list is read comes after it, so that nothing is refused', async () => {
    const account = await newAccount(house.stack);
    const clicked = Promise.withResolvers<void>();
    const done: string[] = [];
    let isSlow = false;
    await using front = startFront(house.url, async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname.endsWith('/auth/logout')) done.push('signed out');
      if (!isSlow || !pathname.endsWith('/tasks')) return null;
      await clicked.promise;
      if (done.at(-1) !== 'read') done.push('read'); // twice, where the stream is live late
      return null;
    });
    await using visit = await house.visit({ baseURL: front.url, inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    isSlow = true;
    await Promise.all([page.waitForRequest(/\/tasks\?/), page.goto('/all')]);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.evaluate(`fetch('/')`); // whatever the click has asked for is on its way before
    clicked.resolve();
    await page.getByRole('heading', { name: 'Sign in to TaskFlow' }).waitFor();
    expect(done).toEqual(['read', 'signed out']);
  });

  test('while a list is read that never comes does not wait for it', async () => {
    const account = await newAccount(house.stack);
    let isLost = false;
    await using front = startFront(house.url, (request) =>
      isLost && new URL(request.url).pathname.endsWith('/tasks') ? new Promise(() => {}) : null,
    );
    await using visit = await house.visit({ baseURL: front.url, inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    isLost = true;
    await Promise.all([page.waitForRequest(/\/tasks\?/), page.goto('/all')]);
    await signOut(page);
    expect((await page.request.get('/api/v1/auth/me')).status()).toBe(401);
  });

  test('sends what is done while something is read', async () => {
    const account = await newAccount(house.stack);
    for (const title of ['Keep', 'Drop']) await account.call('POST', '/tasks', { title, due_date: '2026-01-01' });
    const deleted = Promise.withResolvers<void>();
    await using front = startFront(house.url, async (request) => {
      if (new URL(request.url).pathname.includes('/audit/tasks/')) await deleted.promise;
      return null;
    });
    await using visit = await house.visit({ baseURL: front.url, inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    await row(page, 'Keep').getByRole('link').click();
    await Promise.all([page.waitForRequest(/\/audit\/tasks\//), page.getByText('History').click()]);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await row(page, 'Drop').focus();
    await page.keyboard.press('#');
    await row(page, 'Drop').waitFor({ state: 'detached' });
    deleted.resolve();
    await page.getByRole('heading', { name: 'Sign in to TaskFlow' }).waitFor();
    expect(await titlesOf(account.email)).toEqual(['Keep']);
  });

  test('sends a deletion that could still be taken back', async () => {
    const account = await newAccount(house.stack);
    await account.call('POST', '/tasks', { title: 'Drop', due_date: '2026-01-01' });
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    await row(page, 'Drop').focus();
    await page.keyboard.press('#');
    await row(page, 'Drop').waitFor({ state: 'detached' });
    await signOut(page);
    expect(await titlesOf(account.email)).toEqual([]);
  });

  test('and in as another person in another tab leaves nothing of the first one in this; without a shared worker, too', async () => {
    const [anna, ben] = [await newAccount(house.stack), await newAccount(house.stack)];
    await anna.call('POST', '/tasks', { title: 'A secret', due_date: '2026-01-01' });
    await using visit = await house.visit({ inTrouble: true });
    await visit.context.addInitScript('delete globalThis.SharedWorker'); // as in Chrome on Android
    await signIn(visit.page, anna);
    expect(await visit.page.getByText('Some updates were missed').count()).toBe(0);
    const other = await visit.tab();
    await row(other, 'A secret').waitFor();
    await signOut(other);
    await signIn(other, ben);
    await visit.page.getByText('You were signed out in another tab.').waitFor();
    expect(await visit.page.content()).not.toContain('A secret');
    await other.reload();
    await live(other);
  });

  test('leaves nobody his zone: who has none yet gets that of the device', async () => {
    const [anna, ben] = [await newAccount(house.stack, 'Asia/Tokyo'), await newAccount(house.stack)];
    await house.stack.database.sql`update users set timezone = null where email = ${ben.email}`;
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, anna);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByLabel('Email').fill(ben.email);
    await page.getByLabel('Password', { exact: true }).fill(ben.password);
    await page.keyboard.press('Enter');
    await live(page);
    const [row] = await house.stack.database.sql`select timezone from users where email = ${ben.email}`;
    expect(row?.timezone).toBe(ZONE);
  });

  test('in another tab is heard without a shared worker, too, and leaves nothing written', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    await visit.context.addInitScript('delete globalThis.SharedWorker');
    await signIn(visit.page, account);
    const other = await visit.tab();
    await live(other);
    await visit.page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await other.getByText('You were signed out in another tab.').waitFor();
    expect(await other.evaluate(() => localStorage.length)).toBe(0);
  });

  test('of a session that was ended elsewhere leads to the door', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    await house.stack.kill('notification-service'); // so that the page does not hear of it
    await endSessions(account.email);
    await eventually(async () => (await page.request.get('/api/v1/tasks')).status() === 401);
    await signOut(page);
    expect(await page.locator('dialog').count()).toBe(0);
    await house.stack.start('notification-service');
  });

  test('in another tab says so at the door of this one', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    await signIn(visit.page, account);
    const other = await visit.tab();
    await live(other);
    await visit.page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await other.getByText('You were signed out in another tab.').waitFor();
    expect(await visit.page.getByText('You were signed out in another tab.').count()).toBe(0);
  });
});
