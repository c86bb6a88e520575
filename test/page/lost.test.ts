import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startRelay } from '../support/relay.ts';
import { eventually } from '../support/wait.ts';
import { startFront } from './front.ts';
import { type House, newAccount, openHouse, signIn, type Visit } from './visit.ts';

let house: House;
beforeAll(
  async () =>
    void (house = await openHouse({
      settings: { 'notification-service': { STREAM_MAX_BEHIND: '3', STREAM_LIVE_PER_SECOND: '1' } },
    })),
);
afterAll(() => house?.close());

type Page = Visit['page'];
const today = () => new Date().toISOString().slice(0, 10);
const row = (page: Page, title: string) => page.locator('.row', { hasText: title });
const live = (page: Page) => page.getByText('Live', { exact: true }).waitFor();
const allSaved = (page: Page) => page.getByTitle('Not answered by the server yet').waitFor({ state: 'detached' });
const add = async (page: Page, line: string) => {
  await page.getByLabel('Add a task').fill(line);
  await page.keyboard.press('Enter');
};
const titles = async (page: Page) => (await page.locator('.row-title').allInnerTexts()).sort();
const pathOf = (request: Request) => new URL(request.url).pathname;

describe('a stream', () => {
  test('that is refused once is opened again soon, and other browsers are not blamed', async () => {
    const account = await newAccount(house.stack);
    let isRefused = true;
    await using front = startFront(house.url, (request) => {
      if (!pathOf(request).endsWith('/stream') || request.method !== 'GET' || !isRefused) return null;
      isRefused = false;
      return new Response(null, { status: 502 });
    });
    await using visit = await house.visit({ baseURL: front.url, inTrouble: true });
    await signIn(visit.page, account); // waits until it is live
  });

  test('whose connection is dead and does not say so is opened again when somebody looks', async () => {
    const account = await newAccount(house.stack);
    const relay = startRelay(house.url);
    try {
      await using visit = await house.visit({ baseURL: relay.url.replace('127.0.0.1', 'localhost'), inTrouble: true });
      const { page } = visit;
      await signIn(page, account);
      relay.mute();
      await account.call('POST', '/tasks', { title: 'Not heard', due_date: today() });
      await house.stack.settled();
      await page.evaluate(`dispatchEvent(new Event('focus'))`);
      // Answers are waited for on each connection that the browser had kept, up to 15 s each.
      await row(page, 'Not heard').waitFor({ timeout: 90_000 });
      await live(page);
    } finally {
      relay.stop();
    }
  }, 120_000);
});

describe('an answer that is lost on its way', () => {
  test.each([
    ['of a new task', 'POST /api/v1/tasks', async (page: Page) => add(page, 'New today'), ['Kept', 'New']],
    ['of a change', 'PATCH /api/v1/tasks', (page: Page) => page.getByLabel('Complete: Kept').click(), []],
  ])('%s is asked for again, and the change is made once', async (_what, line, act, expected) => {
    const account = await newAccount(house.stack);
    await account.call('POST', '/tasks', { title: 'Kept', due_date: today() });
    const relay = startRelay(house.url);
    try {
      await using visit = await house.visit({ baseURL: relay.url.replace('127.0.0.1', 'localhost'), inTrouble: true });
      const { page } = visit;
      await signIn(page, account);
      await row(page, 'Kept').waitFor();
      const swallowed = relay.swallow(line, 'answer');
      await act(page);
      await swallowed;
      relay.cut();
      relay.restore();
      await allSaved(page);
      await live(page);
      const open = await account.call<{ title: string }[]>('GET', '/tasks?completed=false');
      expect(open.map(({ title }) => title).sort()).toEqual(expected);
      await eventually(async () => (await titles(page)).join() === expected.join(), { ms: 20_000 });
    } finally {
      relay.stop();
    }
  });

  test('in the middle is no answer: the page goes on trying', async () => {
    const account = await newAccount(house.stack);
    let isCut = false;
    await using front = startFront(house.url, (request) => {
      if (request.method !== 'POST' || !pathOf(request).endsWith('/tasks') || isCut) return null;
      isCut = true;
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode('{"id":')),
        pull: (controller) => controller.error(new Error('the server is gone')),
      });
      return new Response(body, { status: 201, headers: { 'content-type': 'application/json' } });
    });
    await using visit = await house.visit({ baseURL: front.url, inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    await add(page, 'Cut today');
    await eventually(() => isCut);
    await allSaved(page);
    expect(await titles(page)).toEqual(['Cut']);
    expect(await account.call<object[]>('GET', '/tasks')).toHaveLength(1);
  });
});

describe('what was deleted elsewhere meanwhile', () => {
  test('is gone when it is deleted here, too; a change of it is refused by its name', async () => {
    const account = await newAccount(house.stack);
    const made: { id: string }[] = [];
    for (const title of ['Drop', 'Change'])
      made.push(await account.call('POST', '/tasks', { title, due_date: today() }));
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    await row(page, 'Change').waitFor();
    await house.goAway();
    for (const { id } of made) await account.call('DELETE', `/tasks/${id}`);
    await row(page, 'Drop').focus();
    await page.keyboard.press('#');
    await page.getByLabel('Complete: Change').click();
    house.comeBack();
    await page.getByText('“Change” was deleted elsewhere; what you changed of it is not kept.').waitFor();
    await page.getByText('Nothing due today.').waitFor();
  });
});

describe('more than a stream gives back', () => {
  test('is read anew, and the page says that something was missed; the inbox, too', async () => {
    const account = await newAccount(house.stack);
    const gone = await account.call<{ id: string }>('POST', '/tasks', { title: 'Gone meanwhile', due_date: today() });
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    await row(page, 'Gone meanwhile').waitFor();
    await house.goAway();
    await page.getByText('Reconnecting').or(page.getByText('Offline')).first().waitFor();
    await account.call('DELETE', `/tasks/${gone.id}`);
    for (let i = 1; i <= 6; i++) await account.call('POST', '/tasks', { title: `Missed ${i}`, due_date: today() });
    await house.stack.settled();
    // As the retention does it: what is older cannot be had any more.
    await house.stack.database.sql`
      update notification_counters set purged_through = last_seq
      where user_id = (select id from users where email = ${account.email})`;
    house.comeBack();
    await page.getByText('Some updates were missed; the list was read again.').waitFor();
    await row(page, 'Missed 6').waitFor();
    expect(await titles(page)).toEqual([1, 2, 3, 4, 5, 6].map((i) => `Missed ${i}`));
    await live(page);
    await account.call('POST', '/tasks', { title: 'Afterwards', due_date: today() });
    await row(page, 'Afterwards').waitFor();
  });
});

describe('leaving a page', () => {
  test('whose changes wait is asked about; who stays loses none of them, who goes all the same does', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    const asked: string[] = [];
    let isMeant = false;
    page.on('dialog', (dialog) => {
      asked.push(dialog.type());
      void (isMeant ? dialog.accept() : dialog.dismiss());
    });
    await house.goAway();
    await add(page, 'Not sent yet today');
    await page.getByText('1 change waits in this tab.').waitFor();
    await page.reload({ timeout: 3_000 }).catch(() => {}); // the person stays
    expect(asked).toEqual(['beforeunload']);
    await row(page, 'Not sent yet').waitFor();
    house.comeBack();
    await allSaved(page);
    expect(await account.call<object[]>('GET', '/tasks')).toHaveLength(1);
    // What cannot be sent is gone with a page that is left in spite of the question.
    await page.route('**/api/v1/tasks', (route) =>
      route.request().method() === 'POST' ? route.abort() : route.continue(),
    );
    await add(page, 'Given up today');
    await page.getByText('1 change waits in this tab.').waitFor();
    isMeant = true;
    await page.reload();
    await row(page, 'Not sent yet').waitFor();
    expect(asked).toEqual(['beforeunload', 'beforeunload']);
    expect(await titles(page)).toEqual(['Not sent yet']);
  });

  test('whose change is on its way is asked about once that takes longer than a moment; it is kept if one goes', async () => {
    const account = await newAccount(house.stack);
    const { id } = await account.call<{ id: string }>('POST', '/tasks', { title: 'Late', due_date: today() });
    const passed = Promise.withResolvers<void>();
    const [asked, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await using front = startFront(house.url, (request) => {
      if (request.method !== 'PATCH') return null;
      asked.resolve();
      const { headers } = request;
      const body = request.text();
      return goOn.promise
        .then(async () => fetch(`${house.url}${pathOf(request)}`, { method: 'PATCH', headers, body: await body }))
        .finally(passed.resolve);
    });
    await using visit = await house.visit({ baseURL: front.url, inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    const isHeld = () => page.evaluate<boolean>("!dispatchEvent(new Event('beforeunload', { cancelable: true }))");
    expect(await isHeld()).toBe(false);
    await page.getByLabel('Complete: Late').click();
    await asked.promise;
    await eventually(isHeld);
    await page.close();
    goOn.resolve();
    await passed.promise;
    expect(await account.call<object>('GET', `/tasks/${id}`)).toMatchObject({ completed: true });
  });

  test('whose form is not saved is asked about', async () => {
    const account = await newAccount(house.stack);
    const { id } = await account.call<{ id: string }>('POST', '/tasks', { title: 'Half' });
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    await page.goto(`/all?task=${id}`);
    await page.getByLabel('Title').press('End'); // a browser asks only for a page that was used
    await page.keyboard.type(' a thought');
    const asked = page.waitForEvent('dialog');
    const reloaded = page.reload({ timeout: 3_000 }).catch(() => {});
    const dialog = await asked;
    expect(dialog.type()).toBe('beforeunload');
    await dialog.dismiss();
    await reloaded;
    expect(await page.getByLabel('Title').inputValue()).toBe('Half a thought');
  });
});
