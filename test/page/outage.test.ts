import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Server, startServer } from '../support/server.ts';
import { eventually } from '../support/wait.ts';
import { type Account, type House, newAccount, openHouse, signIn, type Visit } from './visit.ts';

// A server of its own: the others' tests need theirs.
let server: Server;
let house: House;
beforeAll(async () => {
  server = await startServer();
  house = await openHouse();
});
afterAll(async () => {
  await house?.close();
  await server?.remove();
});

type Page = Visit['page'];
const today = () => new Date().toISOString().slice(0, 10);
const row = (page: Page, title: string) => page.locator('.row', { hasText: title });
const add = async (page: Page, line: string) => {
  await page.getByLabel('Add a task').fill(line);
  await page.keyboard.press('Enter');
};
const live = (page: Page) => page.getByText('Live', { exact: true }).waitFor();
const allSaved = (page: Page) => page.getByTitle('Not answered by the server yet').waitFor({ state: 'detached' });
const titlesOf = async (account: Account) =>
  (await account.call<{ title: string }[]>('GET', '/tasks?completed=false')).map(({ title }) => title).sort();

const outages: [string, () => unknown, () => unknown][] = [['killed', () => server.kill(), () => server.start()]];
if (process.platform === 'linux') outages.push(['paused', () => server.pause(), () => server.resume()]);

describe('the database', () => {
  test.each(outages)(
    '%s for a while: the page says so, changes wait in sight, and all is there afterwards',
    async (_how, begin, end) => {
      const account = await newAccount(house.stack);
      for (const title of ['Done meanwhile', 'Kept'])
        await account.call('POST', '/tasks', { title, due_date: today() });
      await using visit = await house.visit({ inTrouble: true });
      const { page } = visit;
      await signIn(page, account);
      const refusals: number[] = [];
      page.on('response', (response) => response.status() === 503 && refusals.push(Date.now()));
      await begin();
      try {
        await add(page, 'Written meanwhile today');
        await page.getByLabel('Complete: Done meanwhile').click();
        await page
          .getByText('The server is busy or restarting. 2 changes wait in this tab.')
          .waitFor({ timeout: 30_000 });
        await row(page, 'Written meanwhile').getByTitle('Not answered by the server yet').waitFor();
        // Each is tried, and tried again.
        await eventually(() => refusals.length >= 4, { ms: 40_000, what: 'each change to be refused twice' });
      } finally {
        await end();
      }
      await allSaved(page);
      await live(page);
      await account.call('POST', '/tasks', { title: 'Afterwards', due_date: today() });
      await row(page, 'Afterwards').waitFor();
      expect((await page.locator('.row-title').allInnerTexts()).sort()).toEqual(await titlesOf(account));
      expect(await titlesOf(account)).toEqual(['Afterwards', 'Kept', 'Written meanwhile']);
    },
    120_000,
  );
});

describe('restarted under open tabs', () => {
  test('each service in turn: live again, nothing missing, nothing twice', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    const tabs = [page, await visit.tab('/all')];
    for (const tab of tabs) await live(tab);
    for (const name of house.stack.names) {
      await house.stack.stopOne(name);
      await add(page, `During ${name} today`);
      await house.stack.start(name);
      await allSaved(page);
      for (const tab of tabs) await live(tab);
      await account.call('POST', '/tasks', { title: `After ${name}`, due_date: today() });
      for (const tab of tabs) for (const when of ['During', 'After']) await row(tab, `${when} ${name}`).waitFor();
    }
    const expected = await titlesOf(account);
    expect(expected).toHaveLength(2 * house.stack.names.length);
    for (const tab of tabs) expect((await tab.locator('.row-title').allInnerTexts()).sort()).toEqual(expected);
  }, 180_000);

  test('the gateway: the same', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    const tabs = [page, await visit.tab('/all')];
    for (const tab of tabs) await live(tab);
    await house.goAway();
    await add(page, 'Written meanwhile today');
    await account.call('POST', '/tasks', { title: 'Meanwhile', due_date: today() });
    house.comeBack();
    for (const tab of tabs) {
      await live(tab);
      for (const title of ['Written meanwhile', 'Meanwhile']) await row(tab, title).first().waitFor();
    }
    await allSaved(page);
    for (const tab of tabs)
      expect((await tab.locator('.row-title').allInnerTexts()).sort()).toEqual(['Meanwhile', 'Written meanwhile']);
  });
});
