import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { addDays, dayOf } from '../../services/web/page/days.ts';
import { eventually } from '../support/wait.ts';
import { type Account, type House, look, newAccount, openHouse, phone, signIn, type Visit, ZONE } from './visit.ts';

let house: House;
beforeAll(async () => void (house = await openHouse()));
afterAll(() => house?.close());

type Page = Visit['page'];
type Kept = Record<string, unknown> & { id: string; title: string };

/** Hands that are counted: clicks and keys, without the typing. */
function handsAt(page: Page) {
  let count = 0;
  return {
    click: async (place: Locator, given: Parameters<Locator['click']>[0] = {}) => {
      await place.click(given);
      count++;
    },
    press: async (key: string) => {
      await page.keyboard.press(key);
      count++;
    },
    count: () => count,
  };
}

/** A person at the list of all tasks, with counted hands; `on` puts the focus on a row, as `j` does. */
async function atWork(tasks: object[], path = '/all') {
  const account = await newAccount(house.stack);
  for (const task of tasks) await account.call('POST', '/tasks', task);
  const visit = await house.visit({ viewport: { width: 1280, height: 800 } });
  const { page } = visit;
  await signIn(page, account);
  await page.goto(path);
  const row = (title: string) => page.locator('.row', { hasText: title });
  return {
    account,
    page,
    hands: handsAt(page),
    row,
    on: async (title: string) => row(title).focus(),
    [Symbol.asyncDispose]: () => visit.context.close(),
  };
}
const more = (page: Page, title: string) => page.getByRole('button', { name: `More: ${title}` });
const kept = (account: Account, query = '') => account.call<Kept[]>('GET', `/tasks?${query}`);
const settled = (page: Page) =>
  page.getByTitle('Not answered by the server yet').first().waitFor({ state: 'detached' });
const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

describe('a date of a series', () => {
  const series = { title: 'Stand-up', due_date: '2030-03-25T08:00:00Z', recurrence_pattern: 'daily:' };

  const choices = [
    { choice: 'Only this one', key: '1', due: '2030-03-25T08:00:00.000Z' },
    { choice: 'All open dates', key: '2', due: '2030-03-25T09:00:00.000Z' },
  ];
  async function expectTimes({ account, page }: { account: Account; page: Page }, due: string): Promise<void> {
    await page.getByText('Saved').first().waitFor();
    expect(await kept(account, 'kind=instance')).toMatchObject([{ due_date: '2030-03-25T09:00:00.000Z' }]);
    expect(await kept(account, 'kind=series')).toMatchObject([{ due_date: due }]);
  }

  test.each(choices)('gets another time by 4 clicks: $choice', async ({ choice, due }) => {
    await using person = await atWork([series]);
    const { page, hands, row } = person;
    await hands.click(row('Stand-up').getByRole('link'));
    await hands.click(page.getByLabel('Time'));
    await page.getByLabel('Time').fill('10:00');
    await hands.click(page.getByRole('button', { name: 'Save' }));
    await hands.click(page.getByRole('dialog').getByRole('button', { name: choice }));
    await expectTimes(person, due);
    expect(hands.count()).toBeLessThanOrEqual(4);
  });

  test.each(choices)('gets another time by 4 keys: $choice', async ({ key, due }) => {
    await using person = await atWork([series]);
    const { page, hands, on } = person;
    await on('Stand-up');
    await hands.press('Enter');
    await page.getByLabel('Time').fill('10:00');
    await hands.press('Control+Enter');
    await page.getByRole('dialog').waitFor();
    await hands.press(key);
    await expectTimes(person, due);
    expect(hands.count()).toBeLessThanOrEqual(4);
  });

  test('is skipped by 2 clicks or keys', async () => {
    const soon = { ...series, due_date: inHours(48) };
    await using person = await atWork([soon, { ...soon, title: 'Tea' }]);
    const { page, account, row, on } = person;
    const dates = async () =>
      (await kept(account, 'kind=instance'))
        .map(({ title, occurrence_date: date }) => `${title} ${String(date)}`)
        .sort();
    const [skipped, tea] = await dates();
    const hands = [handsAt(page), handsAt(page)] as const;
    await row('Stand-up').hover();
    await hands[0].click(more(page, 'Stand-up'));
    await hands[0].click(page.getByRole('menuitem', { name: 'Skip this date' }));
    const wait = (title: string) => row(title).getByTitle('Not answered by the server yet');
    await wait('Stand-up').waitFor();
    await on('Tea');
    const answered = page.waitForResponse((response) => response.request().method() === 'DELETE');
    await hands[1].press('#');
    await wait('Tea').waitFor();
    await page.keyboard.press('z'); // and the key is taken back
    await wait('Tea').waitFor({ state: 'detached' });
    await answered;
    expect(hands.map(({ count }) => count() <= 2)).toEqual([true, true]);
    const [next = '', ...left] = await dates();
    expect(left).toEqual([tea ?? '']);
    expect([next.startsWith('Stand-up'), next > (skipped ?? '')]).toEqual([true, true]);
  });
});

test('the history of a task is 2 clicks or keys away', async () => {
  await using person = await atWork([{ title: 'Call the bank' }]);
  const { account, page, row, on } = person;
  await house.stack.settled();
  const hands = [handsAt(page), handsAt(page)] as const;
  await hands[0].click(row('Call the bank').getByRole('link'));
  await hands[0].click(page.getByText('History'));
  await page.locator('.history').getByText('made it').waitFor();
  await page.getByRole('button', { name: 'Close the task' }).click();
  await on('Call the bank');
  await hands[1].press('h');
  await page.locator('.history').getByText('made it').waitFor();
  expect(await page.locator(':focus').innerText()).toBe('History');
  expect(hands.map(({ count }) => count() <= 2)).toEqual([true, true]);
  expect(await kept(account)).toHaveLength(1);
});

test('all that is overdue moves to today by 2 clicks or keys, and back by 1', async () => {
  await using person = await atWork(
    [
      { title: 'Late', due_date: '2026-01-05T08:00:00Z' },
      { title: 'Later', due_date: '2026-02-05' },
    ],
    '/',
  );
  const { page } = person;
  const hands = [handsAt(page), handsAt(page)] as const;
  const overdue = page.getByRole('heading', { name: 'Overdue' });
  await hands[0].click(page.getByRole('button', { name: 'Move all to today' }));
  await overdue.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await overdue.waitFor();
  await settled(page);
  await hands[1].press('t');
  await hands[1].press('a');
  await overdue.waitFor({ state: 'detached' });
  await page.keyboard.press('z');
  await overdue.waitFor();
  expect(hands.map(({ count }) => count() <= 2)).toEqual([true, true]);
});

describe('several tasks', () => {
  const titles = ['One', 'Two', 'Three', 'Four'];
  const tasks = titles.map((title, i) => ({ title, due_date: inHours(24 * (i + 2)) }));

  test('are picked by the mouse, moved together, and taken back together', async () => {
    await using person = await atWork(tasks);
    const { account, page, row } = person;
    await row('One').focus();
    await row('Three')
      .getByRole('link')
      .click({ modifiers: ['Shift'] });
    const bar = page.getByRole('toolbar', { name: 'Selected tasks' });
    await bar.getByText('3 selected').waitFor();
    await page.getByLabel('Select: Two').uncheck();
    await bar.getByText('2 selected').waitFor();
    await bar.getByRole('button', { name: 'Move to tomorrow' }).click();
    await page.getByText('Moved to tomorrow: 2 tasks').waitFor();
    await bar.waitFor({ state: 'detached' });
    await settled(page);
    const tomorrow = addDays(dayOf(Date.now(), ZONE), 1);
    const moved = await kept(account, `due_to=${tomorrow}`);
    expect(moved.map(({ title }) => title).sort()).toEqual(['One', 'Three']);
    await page.getByRole('button', { name: 'Undo' }).click();
    await settled(page);
    expect(await kept(account, `due_to=${tomorrow}`)).toEqual([]);
    expect(new URL(page.url()).search).toBe('');
  });

  test('are picked by keys, completed together, and taken back together; the focus stays in the list', async () => {
    await using person = await atWork(tasks);
    const { account, page, row, on } = person;
    await on('One');
    await page.keyboard.press('Shift+J');
    await page.keyboard.press('Shift+J');
    await page.keyboard.press('k');
    await page.keyboard.press('Space');
    await page.getByText('2 selected').waitFor();
    await page.keyboard.press('x');
    await row('Three').waitFor({ state: 'detached' });
    expect(await page.locator('.row-title').allInnerTexts()).toEqual(['Two', 'Four']);
    expect(await page.locator(':focus').innerText()).toContain('Two');
    await page.keyboard.press('z');
    await row('Three').waitFor();
    await settled(page);
    expect(await kept(account, 'completed=true')).toEqual([]);
    await page.keyboard.press('Space');
    await page.keyboard.press('Escape');
    await page.getByText('1 selected').waitFor({ state: 'detached' });
  });

  test('that are picked on a phone have a bar of two lines, and each of its buttons can be reached', async () => {
    await using person = await atWork(tasks);
    await person.page.close();
    await using visit = await house.visit({ viewport: phone, hasTouch: true, isMobile: true });
    const { page } = visit;
    await signIn(page, person.account);
    await page.goto('/all');
    await page.getByRole('button', { name: 'More: One' }).tap();
    await page.getByRole('menuitem', { name: 'Select' }).tap();
    const bar = page.getByRole('toolbar', { name: 'Selected tasks' });
    await bar.waitFor();
    const tops = await bar.getByRole('button').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top));
    expect(tops.length).toBeGreaterThan(5);
    expect(new Set(tops).size).toBe(2);
    await look(visit, 'picked-390-light');
    await bar.getByRole('button', { name: 'Delete' }).tap();
    await page.getByText('Deleted: One').waitFor();
  });

  test('are deleted together, once it can no longer be taken back', async () => {
    await using person = await atWork(tasks);
    const { account, page, row } = person;
    await row('One').hover();
    await more(page, 'One').click();
    await page.getByRole('menuitem', { name: 'Select' }).click();
    await page.getByRole('button', { name: 'Select all 4' }).click();
    await page.getByRole('toolbar').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Deleted: 4 tasks').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await row('Four').waitFor();
    expect(await kept(account)).toHaveLength(4);
    await page.clock.install();
    await page.locator('.row').first().focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press('Shift+J');
    await page.getByText('4 selected').waitFor();
    await page.keyboard.press('#');
    await page.getByText('Deleted: 4 tasks').waitFor();
    expect(await kept(account)).toHaveLength(4);
    await page.clock.runFor(6_000);
    await eventually(async () => (await kept(account)).length === 0);
    expect(await page.locator('.row').count()).toBe(0);
  });
});
