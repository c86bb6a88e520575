import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../support/wait.ts';
import { type House, newAccount, openHouse, signIn, type Visit } from './visit.ts';

let house: House;
beforeAll(
  async () =>
    void (house = await openHouse({
      // A stream that nobody reads is ended after little, and may not be far behind.
      settings: { 'notification-service': { STREAM_UNSENT_BYTES: '16384', STREAM_MAX_BEHIND: '5' } },
    })),
);
afterAll(() => house?.close());

type Page = Visit['page'];
const today = () => new Date().toISOString().slice(0, 10);
const titles = async (page: Page) => (await page.locator('.row-title').allInnerTexts()).sort();
const live = (page: Page) => page.getByText('Live', { exact: true }).waitFor();

/** The processes of the browser: of its tabs, its workers and its network. */
async function processesOf({ context }: Visit): Promise<number[]> {
  const browser = context.browser();
  if (!browser) throw new Error('a context of no browser');
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.map(({ id }) => id);
}

describe('a computer that sleeps', () => {
  test.each([
    ['for a little', 3, 20],
    ['for so long that the stream does not give it all back', 40, 4_900],
  ])('%s is complete and live when it wakes', async (_howLong, count, length) => {
    const account = await newAccount(house.stack);
    const gone = await account.call<{ id: string }>('POST', '/tasks', { title: 'Gone meanwhile', due_date: today() });
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    const other = await visit.tab('/all');
    for (const tab of [page, other]) await tab.locator('.row', { hasText: 'Gone meanwhile' }).waitFor();
    const processes = await processesOf(visit);
    expect(processes.length).toBeGreaterThan(2);
    const made: string[] = [];
    for (const pid of processes) process.kill(pid, 'SIGSTOP');
    try {
      await account.call('DELETE', `/tasks/${gone.id}`);
      for (let i = 0; i < count; i++) {
        const title = `Meanwhile ${String(i).padStart(2, '0')}`;
        await account.call('POST', '/tasks', { title, due_date: today(), description: '–'.repeat(length) });
        made.push(title);
      }
      await house.stack.settled();
    } finally {
      for (const pid of processes.toReversed()) process.kill(pid, 'SIGCONT');
    }
    for (const tab of [page, other]) {
      await eventually(async () => (await titles(tab)).join() === made.join(), { ms: 30_000, what: 'all to be there' });
      await live(tab);
    }
    await account.call('POST', '/tasks', { title: 'Awake', due_date: today() });
    for (const tab of [page, other]) await tab.locator('.row', { hasText: 'Awake' }).waitFor();
  });

  test('a tab that its browser froze has all when it goes on', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    const session = await visit.context.newCDPSession(page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    await account.call('POST', '/tasks', { title: 'Meanwhile', due_date: today() });
    await house.stack.settled();
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    await page.locator('.row', { hasText: 'Meanwhile' }).waitFor();
    await live(page);
  });
});
