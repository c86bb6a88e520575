import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type House, newAccount, openHouse, shoot, signIn, violations, type Visit } from './visit.ts';

let house: House;
beforeAll(async () => void (house = await openHouse()));
afterAll(() => house?.close());

type Page = Visit['page'];
const phone = { width: 390, height: 844 };

async function atWork(tasks: object[], given: Parameters<House['visit']>[0] = {}) {
  const account = await newAccount(house.stack);
  const made: { id: string }[] = [];
  for (const task of tasks) made.push(await account.call('POST', '/tasks', task));
  const visit = await house.visit(given);
  await signIn(visit.page, account);
  return { account, visit, page: visit.page, made, [Symbol.asyncDispose]: () => visit.context.close() };
}
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const titles = (page: Page) => page.locator('.row-title').allInnerTexts();
const go = async (page: Page, key: string, heading: string) => {
  await page.keyboard.press('g');
  await page.keyboard.press(key);
  await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
};

describe('the places', () => {
  const tasks = [
    { title: 'Late', due_date: inDays(-3) },
    { title: 'Soon', due_date: inDays(1) },
    { title: 'Then', due_date: inDays(40) },
    { title: 'Some day', description: 'with the ladder of Anna' },
    { title: 'Stand-up', due_date: inDays(2), recurrence_pattern: 'weekly:MON,WED' },
  ];

  test('each shows what it is for, two keys away', async () => {
    await using person = await atWork(tasks, { viewport: { width: 1280, height: 800 } });
    const { page, account, made } = person;
    await go(page, 'u', 'Upcoming');
    expect(await titles(page)).toEqual(['Soon', 'Stand-up', 'Then']);
    expect((await page.getByRole('heading', { level: 2 }).allInnerTexts())[0]).toStartWith('Tomorrow, ');
    await shoot(page, 'upcoming-1280-light');
    expect(await violations(page)).toEqual([]);
    await go(page, 'o', 'Overdue');
    expect(await titles(page)).toEqual(['Late']);
    await go(page, 's', 'Series');
    expect(await titles(page)).toEqual(['Stand-up']);
    expect(await page.locator('.row').innerText()).toContain('Mon, Wed');
    expect(await violations(page)).toEqual([]);
    for (const one of [made[3], made[0]]) await account.call('PATCH', `/tasks/${one?.id}`, { completed: true });
    await go(page, 'd', 'Done');
    await page.locator('.row', { hasText: 'Late' }).waitFor();
    expect(await titles(page)).toEqual(['Late', 'Some day']);
    const justNow = expect.stringMatching(/^done\s*\d\d:\d\d$/);
    expect(await page.locator('.row time').allInnerTexts()).toEqual([justNow, justNow]);
    for (const title of ['Late', 'Some day']) await page.getByLabel(`Open again: ${title}`).click();
    await page.getByText('Nothing is done yet.').waitFor();
    await go(page, 'o', 'Overdue');
    expect(await titles(page)).toEqual(['Late']);
  });

  test('search finds titles and notes, open and done, and says what it did not find', async () => {
    await using person = await atWork([...tasks, { title: 'Ladder' }]);
    const { page, account, made } = person;
    await account.call('PATCH', `/tasks/${made[5]?.id}`, { completed: true });
    await page.locator('h1').click();
    await page.keyboard.press('/');
    await page.getByRole('searchbox').fill('ladder');
    await page.locator('.row', { hasText: 'Some day' }).waitFor();
    await page.locator('.row', { hasText: 'Ladder' }).waitFor();
    expect(await page.getByRole('heading', { level: 2 }).allInnerTexts()).toEqual(['Open', 'Done']);
    expect(new URL(page.url()).search).toBe('?q=ladder');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('searchbox').fill('<b>nothing</b>');
    await page.getByText('Nothing has “<b>nothing</b>”').waitFor();
  });

  test('search has the focus, whichever way it is opened', async () => {
    await using person = await atWork(tasks, { viewport: { width: 1280, height: 800 } });
    const { page } = person;
    const link = page.locator('nav').getByRole('link', { name: 'Search' });
    const palette = async () => {
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').getByRole('combobox').fill('search');
      await page.keyboard.press('Enter');
    };
    for (const open of [() => link.click(), () => link.press('Enter'), () => page.keyboard.press('/'), palette]) {
      await open();
      await page.locator('[type=search]:focus').waitFor();
      await page.keyboard.type('ladder');
      await page.locator('.row', { hasText: 'Some day' }).waitFor();
      await link.click(); // once more, from where it is
      await page.locator('[type=search]:focus').waitFor();
      expect(await page.getByRole('searchbox').inputValue()).toBe('');
      await page.locator('nav').getByRole('link', { name: /^All/ }).click();
      await page.getByRole('heading', { name: 'All', level: 1 }).waitFor();
    }
  });

  test('search is found first, and what it finds is opened by keys from its field', async () => {
    await using person = await atWork([{ title: 'Ladder' }, { title: 'Ladder of Anna' }], {
      viewport: { width: 1280, height: 800 },
    });
    const { page } = person;
    expect(await page.locator('nav a').first().innerText()).toContain('Search');
    await page.keyboard.press('/');
    const field = page.locator('[type=search]:focus');
    await field.waitFor();
    await page.keyboard.type('ladder');
    await page.locator('.row').nth(1).waitFor();
    const found = await titles(page);
    await page.keyboard.press('Enter');
    expect(await page.getByLabel('Title', { exact: true }).inputValue()).toBe(found[0] ?? '');
    await page.getByRole('button', { name: 'Close the task' }).click();
    await page.getByRole('searchbox').focus();
    for (const title of found) {
      await page.keyboard.press('ArrowDown');
      expect(await page.locator('.row:focus .row-title').innerText()).toBe(title);
    }
    await page.keyboard.press('Enter');
    await page.getByLabel('Title', { exact: true }).waitFor();
    expect(await page.getByLabel('Title', { exact: true }).inputValue()).toBe(found[1] ?? '');
  });

  test('on a phone the rest is in a menu', async () => {
    await using person = await atWork(tasks, { viewport: phone, hasTouch: true });
    const { page } = person;
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await shoot(page, 'more-390-light');
    expect(await violations(page)).toEqual([]);
    expect(
      await page.evaluate<number>(`{
        const item = document.querySelector('[role=menuitem]');
        const text = document.createRange();
        text.selectNodeContents(item);
        const middle = ({ top, bottom }) => (top + bottom) / 2;
        Math.abs(middle(text.getBoundingClientRect()) - middle(item.getBoundingClientRect()));
      }`),
    ).toBeLessThan(1);
    const menu = await page.getByRole('menu').boundingBox();
    const tabs = await page.getByRole('navigation', { name: 'Lists' }).boundingBox();
    expect((menu?.y ?? 0) + (menu?.height ?? 0)).toBeLessThanOrEqual(tabs?.y ?? 0);
    await page.getByRole('menuitem', { name: 'Series' }).click();
    await page.getByRole('heading', { name: 'Series', level: 1 }).waitFor();
  });
});

test('a browser without Temporal has the same days; one that has it loads nothing for it', async () => {
  const tasks = [
    { title: 'Soon', due_date: inDays(1) },
    { title: 'Then', due_date: inDays(40) },
  ];
  await using person = await atWork(tasks);
  await using old = await house.visit();
  await old.context.addInitScript('delete globalThis.Temporal');
  await signIn(old.page, person.account);
  const headings = async (page: Page) => {
    await go(page, 'u', 'Upcoming');
    return page.getByRole('heading', { level: 2 }).allInnerTexts();
  };
  expect(await headings(old.page)).toEqual(await headings(person.page));
  // By the name that its package gives it.
  const lent = (page: Page) =>
    page.evaluate<number>(
      `performance.getEntriesByType('resource').filter(({ name }) => name.includes('/global.esm-')).length`,
    );
  expect([await lent(person.page), await lent(old.page)]).toEqual([0, 1]);
});

describe('the inbox', () => {
  test('counts what is unread as it comes, and reads one or all', async () => {
    const soon = () => ({ due_date: new Date(Date.now() + 62_000).toISOString(), reminder_offset: '1 minute' });
    await using person = await atWork([], { viewport: { width: 1280, height: 800 } });
    const { page, account } = person;
    for (const title of ['Bake', 'Call', 'Dine']) await account.call('POST', '/tasks', { title, ...soon() });
    await page.locator('nav a', { hasText: 'Inbox' }).getByText('3', { exact: true }).waitFor();
    await go(page, 'i', 'Inbox');
    expect(await page.locator('.inbox li').first().innerText()).toContain('1 min before it was due');
    await shoot(page, 'inbox-1280-light');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Mark read: Bake' }).click();
    await page.getByText('2 unread').waitFor();
    await page.locator('.inbox').getByRole('link', { name: 'Call' }).click();
    await page.getByLabel('Title').waitFor();
    await page.getByRole('button', { name: 'Close the task' }).click();
    await page.getByText('1 unread').waitFor();
    const answered = page.waitForResponse((response) => response.url().includes('read-all'));
    await page.getByRole('button', { name: 'Mark all read' }).click();
    expect((await answered).status()).toBe(200);
    expect(await account.call<object[]>('GET', '/notifications?unread=true')).toEqual([]);
  });
});
