import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eventually } from '../support/wait.ts';
import { type House, newAccount, openHouse, signIn, signOut, type Visit } from './visit.ts';

let house: House;
beforeAll(async () => void (house = await openHouse()));
afterAll(() => house?.close());

/** What the operating system would show, by title. */
const shown = (page: Visit['page']) =>
  page.evaluate<{ title: string; body: string; tag: string; actions: string[] }[]>(`
    navigator.serviceWorker.ready.then((registration) => registration.getNotifications()).then((all) =>
      all.map(({ title, body, tag, actions }) => ({ title, body, tag, actions: actions.map(({ action }) => action) })))`);

test('a reminder is shown once however many tabs there are, with what it can be answered by, until it is answered', async () => {
  const account = await newAccount(house.stack);
  await using visit = await house.visit({ permissions: ['notifications'] });
  const { page } = visit;
  await signIn(page, account);
  for (let i = 0; i < 2; i++) await visit.tab();
  const soon = { due_date: new Date(Date.now() + 62_000).toISOString(), reminder_offset: '1 minute' };
  const { id } = await account.call<{ id: string }>('POST', '/tasks', { title: '<b>Bake</b>', ...soon });
  await account.call('POST', '/tasks', { title: 'No reminder' });
  await page.getByRole('article', { name: 'Reminder: <b>Bake</b>' }).waitFor();
  const all = await eventually(async () => {
    const now = await shown(page);
    return now.length > 0 && now;
  });
  expect(all).toEqual([
    {
      title: '<b>Bake</b>',
      body: expect.stringMatching(/^Due \w{3} \d+ \w{3,4}( \d{4})?, \d\d:\d\d$/),
      tag: id,
      actions: ['done', 'snooze'],
    },
  ]);
  const isAcknowledged = () =>
    account.call('POST', `/tasks/${id}/acknowledge`).then(
      () => true,
      () => false,
    );
  await eventually(isAcknowledged, { what: 'the reminder to be sent' }); // the notification may be there before
  await eventually(async () => (await shown(page)).length === 0, { what: 'the notification to be closed' });
});

test('a click leads to the task in a tab of the page, not in one of /docs that was seen last', async () => {
  const account = await newAccount(house.stack);
  await using visit = await house.visit({ permissions: ['notifications'] });
  const { page, context } = visit;
  await signIn(page, account);
  const soon = { due_date: new Date(Date.now() + 61_500).toISOString(), reminder_offset: '1 minute' };
  const { id } = await account.call<{ id: string }>('POST', '/tasks', { title: 'Bake', ...soon });
  await eventually(async () => (await shown(page)).length === 1);
  const docs = await visit.tab('/docs');
  // As the browser does, which lets nobody else focus a tab.
  await context.serviceWorkers()[0]?.evaluate(`
    registration.getNotifications().then(([notification]) =>
      dispatchEvent(new NotificationEvent('notificationclick', { notification })))`);
  await page.waitForURL(`**/?task=${id}`);
  await page.getByRole('complementary', { name: 'Bake' }).waitFor();
  expect(new URL(docs.url()).pathname).toBe('/docs');
});

test('who wants none gets none, and signing out takes away what is shown', async () => {
  const account = await newAccount(house.stack);
  await using visit = await house.visit({ permissions: ['notifications'] });
  const { page } = visit;
  await signIn(page, account);
  const soon = () => ({ due_date: new Date(Date.now() + 61_500).toISOString(), reminder_offset: '1 minute' });
  await account.call('POST', '/tasks', { title: 'Shown', ...soon() });
  await eventually(async () => (await shown(page)).length === 1);
  await page.keyboard.press('g');
  await page.keyboard.press(',');
  await page.getByLabel('Tell me of').selectOption('nothing; the inbox keeps all');
  await page.getByText('Saved.').waitFor();
  // The page hears of it as before; it is the device that keeps still.
  await account.call('POST', '/tasks', { title: 'Not shown', ...soon() });
  await page.getByRole('article', { name: 'Reminder: Not shown' }).waitFor();
  expect((await shown(page)).map(({ title }) => title)).toEqual(['Shown']);
  await signOut(page);
  await eventually(async () => (await shown(page)).length === 0);
});
