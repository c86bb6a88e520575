import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Account, desk, type House, kinds, look, newAccount, openHouse, phone, signIn } from './visit.ts';

let house: House;
let account: Account;
beforeAll(async () => {
  house = await openHouse();
  account = await newAccount(house.stack);
  const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  for (const task of [
    { title: 'Send the offer to the Meyer family', due_date: at(-3), priority: 'urgent' },
    { title: 'Water the plants', due_date: at(-52) },
    { title: 'Call the bank about the new card', due_date: at(0.4), priority: 'high', reminder_offset: '5 minutes' },
    { title: 'Stand-up', due_date: at(0.1), recurrence_pattern: 'daily:', reminder_offset: '2 minutes' },
    { title: 'Rent', due_date: '2026-01-01', recurrence_pattern: 'monthly:1', reminder_offset: '1 day' },
    { title: 'Tax return', due_date: at(24 * 20), priority: 'medium' },
    { title: 'Read the book that Anna lent me, and give it back before she asks for it a third time' },
    { title: 'Paint the fence', priority: 'low' },
  ])
    await account.call('POST', '/tasks', task);
});
afterAll(() => house?.close());

describe.each(kinds)('$viewport.width px, $colorScheme', (kind) => {
  const name = (screen: string) => `${screen}-${kind.viewport.width}-${kind.colorScheme}`;

  test('the door', async () => {
    await using visit = await house.visit(kind);
    await visit.page.goto('/');
    await visit.page.getByRole('heading', { name: 'Sign in to TaskFlow' }).waitFor();
    await look(visit, name('door'));
    const middle = (box: { y: number; height: number } | null) => (box?.y ?? NaN) + (box?.height ?? NaN) / 2;
    const field = middle(await visit.page.getByLabel('Password', { exact: true }).boundingBox());
    expect(middle(await visit.page.locator('.password button').boundingBox())).toBeWithin(field - 1, field + 1);
  });

  test('the lists, the line and the bars', async () => {
    await using visit = await house.visit(kind);
    const { page } = visit;
    await signIn(page, account);
    await page.locator('.row').first().waitFor();
    await look(visit, name('today'));
    await page.locator('nav').getByRole('link', { name: /^All/ }).click();
    await page.getByRole('heading', { name: 'All', level: 1 }).waitFor();
    await look(visit, name('all'));
    await page.getByLabel('Add a task').fill('Stand-up mon,wed,fri 9:00 !high ^15m until 30 jun');
    await page.locator('.preview li').first().waitFor();
    await look(visit, name('add'));
    await page.keyboard.press('Escape');
    await page.getByLabel('Complete: Paint the fence').click();
    await page.getByText('Done: Paint the fence').waitFor();
    await look(visit, name('undo'));
    await page.getByTitle('Not answered by the server yet').waitFor({ state: 'detached' });
    // Not by Undo, which is gone after 6 s.
    const [done] = await account.call<{ id: string }[]>('GET', '/tasks?completed=true');
    await account.call('PATCH', `/tasks/${done?.id}`, { completed: false });
    await page.locator('.row', { hasText: 'Paint the fence' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('h1').click();
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await look(visit, name('keys'));
    await page.keyboard.press('Escape');
    await page.locator('.row').first().focus();
    await page.keyboard.press('Shift+J');
    await page.getByText('2 selected').waitFor();
    await look(visit, name('selected'));
    await page.keyboard.press('Control+k');
    await page.getByRole('listbox').waitFor();
    await look(visit, name('palette'));
  });
});

/** Each place of the page, and a task beside a list. */
describe.each(kinds)('$viewport.width px, $colorScheme', (kind) => {
  test('every place', async () => {
    await using visit = await house.visit(kind);
    const { page } = visit;
    await signIn(page, account);
    const [{ id = '' } = {}] = await account.call<{ id: string }[]>('GET', '/tasks?kind=instance');
    for (const path of [
      '/upcoming',
      '/overdue',
      '/series',
      '/inbox',
      '/reminders',
      '/done',
      '/settings',
      '/search?q=the',
      `/?task=${id}`,
    ]) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByText('Live', { exact: true }).waitFor();
      if (path.includes('task=')) await page.getByLabel('Title').waitFor();
      const name = path.split(/[/?]/).filter(Boolean)[0] ?? '';
      await look(visit, `${name}-${kind.viewport.width}-${kind.colorScheme}`);
    }
  });
});

/** `TASKFLOW_SHOTS` then holds README's two: `page.png` and `page-phone.png`. */
test('the pictures of README', async () => {
  const [{ id = '' } = {}] = await account.call<{ id: string }[]>('GET', '/tasks?kind=series&q=Stand-up');
  await using first = await house.visit({ viewport: desk });
  await signIn(first.page, account);
  await first.page.goto(`/all?task=${id}`);
  await first.page.getByLabel('Repeat').selectOption('Every week on …');
  for (const day of ['Mo', 'We', 'Fr']) await first.page.getByLabel(day, { exact: true }).check();
  // The day on which it begins is pressed, too: today, whichever that is.
  for (const day of ['Tu', 'Th', 'Sa', 'Su']) await first.page.getByLabel(day, { exact: true }).uncheck();
  await first.page.getByText('Monday, Wednesday and Friday').waitFor();
  await look(first, 'page');
  await using second = await house.visit({ viewport: phone, colorScheme: 'dark', hasTouch: true });
  await signIn(second.page, account);
  await second.page.getByLabel('Add a task').fill('Stand-up mon,wed,fri 9:00 !high ^15m until 30 jun');
  await second.page.locator('.preview li').first().waitFor();
  await look(second, 'page-phone');
});

test('nothing due, and nothing at all', async () => {
  await using visit = await house.visit({ viewport: desk });
  await signIn(visit.page, await newAccount(house.stack));
  await look(visit, 'empty-1280-light');
  await visit.page.getByRole('button', { name: 'Call the bank' }).click();
  expect(await visit.page.getByLabel('Add a task').inputValue()).toStartWith('Call the bank');
});

test('a room of 320 px is enough', async () => {
  await using visit = await house.visit({ viewport: { width: 320, height: 640 } });
  await signIn(visit.page, account);
  await look(visit, 'today-320-light');
});
