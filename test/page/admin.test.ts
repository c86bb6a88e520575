import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { operate } from '../support/operate.ts';
import { type Account, desk, type House, kinds, look, newAccount, openHouse, phone, signIn } from './visit.ts';

let house: House;
let admin: Account;
let anna: Account;
beforeAll(async () => {
  house = await openHouse();
  [admin, anna] = [await newAccount(house.stack), await newAccount(house.stack)];
  await operate(house.stack, 'chat-api', ['users', 'admin', admin.email]);
  const boxes = (shelf: number) => Array.from({ length: 40 }, (_, i) => ({ title: `Box ${shelf}-${i}` }));
  for (const shelf of [1, 2, 3]) await anna.call('POST', '/tasks/batch', { tasks: boxes(shelf) });
  const rent = await anna.call<{ id: string }>('POST', '/tasks', { title: '<b>Rent</b>', due_date: '2030-01-01' });
  await anna.call('PATCH', `/tasks/${rent.id}`, { title: '<b>Rent</b> and heating' });
  await house.stack.settled();
});
afterAll(() => house?.close());

describe.each(kinds)('$viewport.width px, $colorScheme', (kind) => {
  test('the screens of admins', async () => {
    await using visit = await house.visit(kind);
    const { page } = visit;
    const name = (screen: string) => `${screen}-${kind.viewport.width}-${kind.colorScheme}`;
    await signIn(page, admin);
    await page.goto('/audit?type=task.updated');
    await page.getByRole('button', { name: 'More of' }).first().click();
    await look(visit, name('audit'));
    await page.goto(`/audit?user=${crypto.randomUUID()}`);
    await page.getByText('Nothing that is written down is so.').waitFor();
    await look(visit, name('audit-empty'));
  }, 120_000);

  test('the services', async () => {
    await using visit = await house.visit({ ...kind, inTrouble: true }); // on a busy machine a health check may be late
    const { page } = visit;
    await signIn(page, admin);
    await page.goto('/services');
    await page.getByText('Everything runs.').waitFor();
    await look(visit, `services-${kind.viewport.width}-${kind.colorScheme}`);
  }, 120_000);
});

describe('the audit screen', () => {
  test('finds by filters, a page at a time, and leads to the history of a task; all by keys', async () => {
    await using visit = await house.visit({ viewport: desk });
    const { page } = visit;
    await signIn(page, admin);
    await page.keyboard.press('g');
    await page.keyboard.press('h');
    await page.getByRole('heading', { name: 'Audit', level: 1 }).waitFor();
    await page.getByText('100 events and more').waitFor();
    await page.getByRole('button', { name: 'Further events' }).press('Enter');
    await page.locator('.trail > li').nth(120).waitFor();
    await page.getByLabel('What happened').focus();
    await page.keyboard.type('task.updated');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('1 event', { exact: true }).waitFor();
    expect(new URL(page.url()).search).toBe('?type=task.updated');
    await page.getByRole('link', { name: '<b>Rent</b> and heating' }).press('Enter');
    await page.getByText('2 events', { exact: true }).waitFor();
    expect(await page.locator('.trail > li p').allInnerTexts()).toEqual([
      expect.stringContaining('Its owner made <b>Rent</b>'),
      expect.stringContaining('changed <b>Rent</b> and heating title'),
    ]);
    await page.goBack();
    await page.getByText('1 event', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Clear' }).press('Enter');
    await page.getByText('100 events and more').waitFor();
  });

  test('follows one request and one owner from an event of theirs', async () => {
    await using visit = await house.visit({ viewport: desk });
    const { page } = visit;
    await signIn(page, admin);
    await page.goto('/audit?type=task.created');
    await page.getByRole('button', { name: 'More of Box' }).first().click();
    await page.getByRole('link', { name: 'Only this request' }).click();
    await page.getByText('40 events', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'More of Box' }).first().click();
    await page.getByRole('link', { name: 'Only this owner' }).click();
    await page.locator('.whole').waitFor({ state: 'detached' });
    await page.getByText('40 events', { exact: true }).waitFor();
    expect([...new URL(page.url()).searchParams.keys()]).toEqual(['user', 'type', 'request']);
  });

  test('says which filter is none', async () => {
    await using visit = await house.visit({ viewport: phone, hasTouch: true, inTrouble: true });
    const { page } = visit;
    await signIn(page, admin);
    await page.goto('/audit?user=nobody');
    await page.locator('main [role=alert]', { hasText: 'user_id: expected a UUID' }).waitFor();
    await look(visit, 'audit-refused-390-light');
  });

  test('says no more why further events were not read once others are asked for', async () => {
    await using visit = await house.visit({ viewport: desk, inTrouble: true });
    const { page } = visit;
    await signIn(page, admin);
    await page.goto('/audit');
    await page.getByText('100 events and more').waitFor();
    await page.route('**/audit/events?*cursor=*', (route) => route.abort());
    await page.getByRole('button', { name: 'Further events' }).click();
    const refusal = page.locator('main [role=alert]', { hasText: 'cannot be reached' });
    await refusal.waitFor();
    await page.getByLabel('What happened').selectOption('task.updated');
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.getByText('1 event', { exact: true }).waitFor();
    expect(await refusal.count()).toBe(0);
  });

  test('downloads all that is found, a line for each', async () => {
    await using visit = await house.visit({ viewport: desk });
    const { page } = visit;
    await signIn(page, admin);
    await page.goto('/audit?type=task.created');
    await page.getByText('100 events and more').waitFor();
    const begun = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download all of it' }).click();
    const download = await begun;
    expect(download.suggestedFilename()).toBe('taskflow-audit.ndjson');
    const lines = (await Bun.file((await download.path()) ?? '').text()).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { event_type: string }).event_type)).toEqual(
      Array(121).fill('task.created'),
    );
  });
});

describe('what runs', () => {
  test('says that nobody answers, and is well again by itself', async () => {
    await using visit = await house.visit({ viewport: phone, hasTouch: true, inTrouble: true });
    const { page } = visit;
    await signIn(page, admin);
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'What runs' }).click();
    await page.getByText('Everything runs.').waitFor();
    expect((await page.locator('.services b').allInnerTexts()).toSorted()).toEqual([
      'audit-logger',
      'chat-api',
      'notification-service',
      'recurring-task-processor',
      'reminder-service',
    ]);
    await house.goAway();
    await page.getByText('TaskFlow cannot be reached. Trying again').waitFor();
    house.comeBack();
    await page.getByText('Everything runs.').waitFor();
  });
});

test('who is no admin has neither link nor key nor screen, and asks for nothing of it', async () => {
  await using visit = await house.visit({ viewport: desk });
  const { page } = visit;
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await signIn(page, anna);
  await page.keyboard.press('g');
  await page.keyboard.press('h');
  expect(await page.locator('nav').getByText('Audit').count()).toBe(0);
  for (const path of ['/audit', '/services']) {
    await page.goto(path);
    await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
  }
  expect(asked.filter((path) => /audit\/|^\/health|screens-/.test(path))).toEqual([]);
});
