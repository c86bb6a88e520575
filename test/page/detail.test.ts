import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Response as Answer } from 'playwright-core';
import { addDays, dayOf } from '../../services/web/page/days.ts';
import { fullTime } from '../../services/web/page/words.ts';
import { eventually } from '../support/wait.ts';
import { startFront } from './front.ts';
import { type House, newAccount, openHouse, shoot, signIn, violations, type Visit, ZONE } from './visit.ts';

let house: House;
beforeAll(async () => void (house = await openHouse()));
afterAll(() => house?.close());

type Kept = Record<string, unknown> & { id: string };
type Page = Visit['page'];

async function atWork(tasks: object[], { inTrouble = false } = {}) {
  const account = await newAccount(house.stack);
  const made: Kept[] = [];
  for (const task of tasks) made.push(await account.call<Kept>('POST', '/tasks', task));
  const visit = await house.visit({ inTrouble, viewport: { width: 1280, height: 800 } });
  await signIn(visit.page, account);
  await visit.page.goto('/all');
  await visit.page.locator('.row').first().waitFor();
  const read = (id: string) => account.call<Kept>('GET', `/tasks/${id}`);
  return { account, visit, page: visit.page, made, read, [Symbol.asyncDispose]: () => visit.context.close() };
}
const row = (page: Page, title: string) => page.locator('.row', { hasText: title });
/** Opens the first task, types another title and saves. */
async function nameDateDaily(page: Page): Promise<void> {
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByLabel('Title').fill('Daily');
  await page.keyboard.press('Control+Enter');
}
const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

describe('a task', () => {
  test('is opened, changed and saved by keys; its history is two more away', async () => {
    await using person = await atWork([{ title: 'Call the bank' }]);
    const { page, made, read } = person;
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    const title = page.getByLabel('Title');
    await title.waitFor();
    expect(await title.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
    await title.fill('Call the other bank');
    await page.getByLabel('Notes').fill('About <b>the card</b>');
    await page.locator('.detail').getByLabel('Due', { exact: true }).fill('2030-05-06');
    await page.getByLabel('Time').fill('09:30');
    await page.getByLabel('Reminder').selectOption('1 day before');
    await page.locator('.detail').getByLabel('Priority').selectOption('high');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Saved.').waitFor();
    expect(await read(made[0]?.id ?? '')).toMatchObject({
      title: 'Call the other bank',
      description: 'About <b>the card</b>',
      due_date: '2030-05-06T07:30:00.000Z',
      reminder_offset: 'P1D',
      priority: 'high',
    });
    await house.stack.settled();
    await page.getByText('History').click();
    const history = page.locator('.history');
    await history.getByText('You changed it').waitFor();
    expect(await history.innerText()).toContain('title: Call the bank → Call the other bank');
    await shoot(page, 'detail-1280-light');
    expect(await violations(page)).toEqual([]);
    await history.getByRole('button', { name: 'Set back title' }).click();
    await row(page, 'Call the bank').waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('Title').waitFor({ state: 'detached' });
  });

  test('whose history is open shows there what happens to it next', async () => {
    await using person = await atWork([{ title: 'Call' }]);
    const { page, made, account } = person;
    await house.stack.settled();
    await page.goto(`/all?task=${made[0]?.id}&open=history`);
    const history = page.locator('.history');
    await history.getByText('made it').waitFor();
    await account.call('PATCH', `/tasks/${made[0]?.id}`, { title: 'Call Anna' });
    await history.getByText('title: Call → Call Anna').waitFor();
  });

  test('whose history is open shows what happens to it also when that is written down seconds later', async () => {
    const account = await newAccount(house.stack);
    const { id } = await account.call<Kept>('POST', '/tasks', { title: 'Call' });
    await house.stack.settled();
    const history = `/api/v1/audit/tasks/${id}`;
    const before = await (await fetch(house.stack.url(history), { headers: account.headers })).text();
    let changedAt = NaN;
    await using front = startFront(house.url, (request) => {
      const isBehind = performance.now() - changedAt < 2000 && new URL(request.url).pathname === history;
      return isBehind ? new Response(before, { headers: { 'content-type': 'application/json' } }) : null;
    });
    await using visit = await house.visit({ baseURL: front.url });
    const { page } = visit;
    await signIn(page, account);
    await page.goto(`/all?task=${id}&open=history`);
    await page.locator('.history').getByText('made it').waitFor();
    changedAt = performance.now();
    await account.call('PATCH', `/tasks/${id}`, { title: 'Call Anna' });
    await page.locator('.history').getByText('title: Call → Call Anna').waitFor();
  });

  test('keeps what is typed while it is being saved, and says that it was saved also when nobody answers what came of it', async () => {
    await using person = await atWork([{ title: 'Call' }], { inTrouble: true });
    const { page, made, read } = person;
    const id = made[0]?.id ?? '';
    await row(page, 'Call').getByRole('link').click();
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let isSaved = false;
    await page.route(`**/tasks/${id}`, async (route) => {
      if (route.request().method() === 'GET') return isSaved ? route.abort() : route.continue();
      asked.resolve();
      await answer.promise;
      const response = await route.fetch();
      isSaved = true;
      return route.fulfill({ response });
    });
    await page.getByLabel('Title').fill('Call Anna');
    await page.keyboard.press('Control+Enter');
    await asked.promise;
    await page.getByLabel('Notes').fill('About the roof');
    answer.resolve();
    await page.getByText('Saved.').waitFor();
    expect(await page.getByLabel('Notes').inputValue()).toBe('About the roof');
    await page.unroute(`**/tasks/${id}`);
    await page.keyboard.press('Control+Enter');
    await page.getByRole('button', { name: 'Save' }).and(page.locator(':disabled')).waitFor();
    expect(await read(id)).toMatchObject({ title: 'Call Anna', description: 'About the roof' });
  });

  test('that was changed elsewhere meanwhile shows both, and keeps what is chosen', async () => {
    await using person = await atWork([{ title: 'Offer', priority: 'low' }], { inTrouble: true });
    const { page, made, account, read } = person;
    const id = made[0]?.id ?? '';
    await row(page, 'Offer').getByRole('link').click();
    await page.getByLabel('Title').fill('Offer of mine');
    const { token } = await account.call<{ token: string }>('POST', '/auth/tokens', {
      name: 'backup',
      scopes: ['tasks:write'],
      expires_in_days: 1,
    });
    await fetch(house.stack.url(`/api/v1/tasks/${id}`), {
      method: 'PATCH',
      headers: { ...account.headers, authorization: `Bearer ${token}` },
      body: JSON.stringify({ title: 'Offer of theirs', description: 'kept' }),
    });
    await row(page, 'Offer of theirs').waitFor();
    await house.stack.settled();
    await page.getByRole('button', { name: 'Save' }).click();
    const dialog = page.getByRole('dialog', { name: 'Changed elsewhere' });
    await dialog.waitFor();
    expect(await dialog.getByRole('cell').allInnerTexts()).toEqual(['Offer of mine', 'Offer of theirs']);
    await dialog.getByText('Your token “backup” changed it.').waitFor();
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Keep mine' }).click();
    await page.getByText('Saved.').waitFor();
    expect(await read(id)).toMatchObject({ title: 'Offer of mine', description: 'kept', priority: 'low' });
  });

  test('that was changed elsewhere while one typed shows that once nothing typed is left', async () => {
    await using person = await atWork([{ title: 'Offer' }]);
    const { page, made, account } = person;
    const id = made[0]?.id ?? '';
    await row(page, 'Offer').getByRole('link').click();
    const title = page.getByLabel('Title');
    await title.press('End');
    await page.keyboard.type('s');
    const read = page.waitForResponse((response) => response.url().endsWith(`/tasks/${id}`));
    await account.call('PATCH', `/tasks/${id}`, { description: 'of theirs' });
    await read;
    await row(page, 'Offer').waitFor();
    await title.press('Backspace');
    await eventually(async () => (await page.getByLabel('Notes').inputValue()) === 'of theirs');
  });

  test('that was changed elsewhere in another field is saved without a question, and back by Undo', async () => {
    await using person = await atWork([{ title: 'Offer' }], { inTrouble: true });
    const { page, made, account, read } = person;
    const id = made[0]?.id ?? '';
    await row(page, 'Offer').getByRole('link').click();
    await page.getByLabel('Notes').fill('of mine');
    await account.call('PATCH', `/tasks/${id}`, { title: 'Offer of theirs' });
    await row(page, 'Offer of theirs').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    expect(await read(id)).toMatchObject({ title: 'Offer of theirs', description: 'of mine' });
    const answered = page.waitForResponse((response) => response.request().method() === 'PATCH');
    await page.getByRole('button', { name: 'Undo' }).click();
    await answered;
    expect((await read(id)).description).toBeNull();
  });

  test('that is not saved stays as it was typed, whichever way one goes', async () => {
    await using person = await atWork([{ title: 'Offer' }, { title: 'Rent' }]);
    const { page, made } = person;
    const notes = page.getByLabel('Notes');
    const dialog = page.getByRole('dialog', { name: 'Not saved yet' });
    await row(page, 'Offer').getByRole('link').click();
    await notes.fill('a long thought');
    const ways = [
      () => page.keyboard.press('Escape'),
      () => page.getByRole('button', { name: 'Close the task' }).click(),
      () => row(page, 'Rent').getByRole('link').click(),
      () => page.getByRole('link', { name: 'Upcoming' }).click(),
      () => page.goBack(),
    ];
    for (const go of ways) {
      await go();
      await dialog.getByRole('button', { name: 'Keep editing' }).click();
      await dialog.waitFor({ state: 'detached' });
      expect(await notes.inputValue()).toBe('a long thought');
      expect(page.url()).toContain(`?task=${made[0]?.id}`);
    }
  });

  test('that is not saved is saved on the way to another, or left on purpose', async () => {
    await using person = await atWork([{ title: 'Offer' }, { title: 'Rent' }]);
    const { page, made, read } = person;
    const notes = page.getByLabel('Notes');
    const dialog = page.getByRole('dialog', { name: 'Not saved yet' });
    await row(page, 'Offer').getByRole('link').click();
    await notes.fill('a long thought');
    await row(page, 'Rent').getByRole('link').click();
    await dialog.waitFor();
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('complementary', { name: 'Rent' }).waitFor();
    expect(await read(made[0]?.id ?? '')).toMatchObject({ description: 'a long thought' });
    await notes.fill('nothing of worth');
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Discard' }).click();
    await notes.waitFor({ state: 'detached' });
    expect((await read(made[1]?.id ?? '')).description).toBeNull();
  });

  test('that is not saved is asked about before its tab closes', async () => {
    await using person = await atWork([{ title: 'Offer' }]);
    const { page } = person;
    await row(page, 'Offer').getByRole('link').click();
    await page.getByLabel('Notes').fill('a long thought');
    // A dialog of the browser's own would hold the tests of this file; whether it is asked for is seen without it.
    const isAsked = () =>
      page.evaluate(
        () => !(globalThis as unknown as EventTarget).dispatchEvent(new Event('beforeunload', { cancelable: true })),
      );
    expect(await isAsked()).toBe(true);
    await page.getByLabel('Notes').fill('');
    expect(await isAsked()).toBe(false);
  });

  test('that is not answered yet is shown as it stands here, and has its own address with the answer', async () => {
    await using person = await atWork([{ title: 'Other' }]);
    const { page } = person;
    const answered = Promise.withResolvers<void>();
    await page.route('**/api/v1/tasks', async (route) => {
      if (route.request().method() === 'POST') await answered.promise;
      return route.continue();
    });
    await page.getByLabel('Add a task').fill('Call Anna 2030-05-06 9:00');
    await page.keyboard.press('Enter');
    await row(page, 'Call Anna').getByRole('link').click();
    const detail = page.getByRole('complementary', { name: 'Call Anna' });
    await detail.getByText('Not saved yet').waitFor();
    expect(await detail.innerText()).toContain('Due Mon 6 May 2030, 09:00');
    expect(page.url()).toContain('?task=new-');
    await shoot(page, 'detail-new-1280-light');
    expect(await violations(page)).toEqual([]);
    answered.resolve();
    await detail.getByLabel('Title').waitFor();
    await page.waitForURL(/\/all\?task=[0-9a-f]{8}-/);
  });

  test('without a date may repeat, which gives it one; what else needs a date looks and is disabled until then', async () => {
    await using person = await atWork([{ title: 'Water' }]);
    const { page, made, read } = person;
    await row(page, 'Water').getByRole('link').click();
    const detail = page.locator('.detail');
    const day = detail.getByLabel('Due', { exact: true });
    const opacity = (name: string) =>
      detail.getByLabel(name).evaluate((field) => field.ownerDocument.defaultView?.getComputedStyle(field).opacity);
    expect(await Promise.all(['Time', 'Reminder'].map(opacity))).toEqual(['0.6', '0.6']);
    await detail.getByLabel('Repeat').selectOption('Every day');
    const today = dayOf(Date.now(), ZONE);
    expect(await day.inputValue()).toBe(today);
    expect(await Promise.all(['Time', 'Reminder'].map(opacity))).toEqual(['1', '1']);
    await day.fill('');
    await detail.getByRole('button', { name: 'Save' }).click();
    await detail.getByRole('alert').getByText('A repeat needs a date.').waitFor();
    expect(await day.evaluate((field) => field === field.ownerDocument.activeElement)).toBe(true);
    await day.fill(today);
    await detail.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    expect(await read(made[0]?.id ?? '')).toMatchObject({ due_date: today, recurrence_pattern: 'daily:' });
  });

  test('that cannot be saved says why itself, and no browser beside it', async () => {
    await using person = await atWork([{ title: 'Offer', due_date: '2030-05-06' }]);
    const { page, made, read } = person;
    await row(page, 'Offer').getByRole('link').click();
    const detail = page.locator('.detail');
    await detail.getByLabel('Title').fill('');
    await detail.getByRole('button', { name: 'Save' }).click();
    await detail.getByRole('alert').getByText('What is to be done?').waitFor();
    await detail.getByLabel('Title').fill('Order');
    const day = detail.getByLabel('Due', { exact: true });
    await day.focus();
    await page.keyboard.press('Delete'); // of three parts one is empty
    await detail.getByRole('button', { name: 'Save' }).click();
    await detail.getByRole('alert').getByText('is not complete').waitFor();
    expect((await read(made[0]?.id ?? '')).title).toBe('Offer');
  });

  test('that is gone says so', async () => {
    await using person = await atWork([{ title: 'Other' }], { inTrouble: true });
    const { page } = person;
    await page.goto(`/all?task=${crypto.randomUUID()}`);
    await page.getByRole('alert').getByText('This task is not there any more.').waitFor();
  });
});

describe('a series', () => {
  const series = { title: 'Stand-up', due_date: '2030-03-25T08:00:00Z', recurrence_pattern: 'daily:' };

  test('is built part by part, with its sentence, its next dates and what the clocks do to them', async () => {
    await using person = await atWork([{ title: 'Tram', due_date: '2030-03-30T01:30:00.000Z' }]);
    const { page, made, account } = person;
    await row(page, 'Tram').getByRole('link').click();
    await page.getByLabel('Repeat').selectOption('Every day');
    const preview = page.locator('.detail .preview');
    await preview.getByText('every day').waitFor();
    expect(await preview.getByRole('listitem').count()).toBe(10);
    expect(await preview.innerText()).toContain('does not exist'); // 02:30 on 31 March 2030, in Berlin
    await page.getByLabel('Repeat').selectOption('Every week on …');
    const pressed = page.getByRole('group', { name: 'Weekdays' }).getByRole('checkbox', { checked: true });
    expect(await pressed.count()).toBe(1);
    expect(await page.getByLabel('Sa', { exact: true }).isChecked()).toBe(true); // as it is due
    await page.getByLabel('Sa', { exact: true }).click(); // of the last one there is none less
    await page.getByLabel('Mo', { exact: true }).check();
    await preview.getByText('Monday and Saturday').waitFor();
    await page.getByLabel('Fr', { exact: true }).check();
    await page.getByLabel('Sa', { exact: true }).uncheck();
    await preview.getByText('Monday and Friday').waitFor();
    await page.getByLabel('Last day', { exact: true }).fill('2030-12-31');
    await shoot(page, 'series-1280-light');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    expect(await account.call<Kept>('GET', `/tasks/${made[0]?.id}`)).toMatchObject({
      recurrence_pattern: 'weekly:MON,FRI',
      recurrence_end_date: '2030-12-31',
    });
  });

  test('whose rule is written out says the same as before; an empty one is not saved', async () => {
    await using person = await atWork([{ ...series, recurrence_pattern: 'monthly:31' }]);
    const { page, made } = person;
    await page.goto(`/series?task=${made[0]?.id}`);
    await page.getByLabel('Repeat').selectOption('A rule (RFC 5545)');
    const rule = page.getByLabel('RRULE');
    expect(await rule.inputValue()).toBe('FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1');
    await page.locator('.detail .preview').getByText('every month').first().waitFor();
    await rule.fill('');
    await page.getByText('For example FREQ=').waitFor();
    expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    expect(await violations(page)).toEqual([]);
  });

  test.each([
    ['1', 'Stand-up', 'only this one'],
    ['2', 'Daily', 'the whole series'],
  ])('of a date that is changed, key %s leaves the series called %s: %s', async (key, expected) => {
    await using person = await atWork([series]);
    const { page, made, read } = person;
    await nameDateDaily(page);
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press(key);
    await page.getByText('Saved').first().waitFor();
    await row(page, 'Daily').waitFor();
    expect((await read(made[0]?.id ?? '')).title).toBe(expected);
  });

  test('of a date that had been changed before, key 2 changes all open dates, and keeps what was typed in this one', async () => {
    await using person = await atWork([series]);
    const { page, made, read, account } = person;
    const [date] = await account.call<Kept[]>('GET', '/tasks?kind=instance');
    await account.call('PATCH', `/tasks/${date?.id}`, { priority: 'high' });
    await row(page, 'Stand-up').getByText('high').waitFor();
    await nameDateDaily(page);
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('2');
    await page.getByText('Saved, with all open dates.').waitFor();
    expect(await page.getByLabel('Title').inputValue()).toBe('Daily');
    expect(await read(date?.id ?? '')).toMatchObject({ title: 'Daily', priority: 'high' });
    expect(await read(made[0]?.id ?? '')).toMatchObject({ title: 'Daily' });
  });

  test('of a date that is changed nothing is saved when one cancels, and what was typed is still there', async () => {
    await using person = await atWork([series]);
    const { page, made, read } = person;
    await nameDateDaily(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('End');
    await page.keyboard.type('!'); // the focus is back where it was
    expect(await page.getByLabel('Title').inputValue()).toBe('Daily!');
    expect((await read(made[0]?.id ?? '')).title).toBe('Stand-up');
  });

  test('has a history in words: what its rule was, and that the app made its dates', async () => {
    await using person = await atWork([{ ...series, recurrence_pattern: 'weekly:MON,THU' }]);
    const { page, made, account } = person;
    await account.call('PATCH', `/tasks/${made[0]?.id}`, { recurrence_pattern: 'monthly:1' });
    await house.stack.settled();
    const history = page.locator('.history');
    await page.goto(`/series?task=${made[0]?.id}&open=history`);
    await history.getByText('repeat: every Mon, Thu → every month on the 1st').waitFor();
    const [first] = await account.call<Kept[]>('GET', '/tasks?kind=instance');
    await page.goto(`/all?task=${first?.id}&open=history`);
    await history.getByText('Made from its series').waitFor();
  });

  test('shows which of its dates were skipped, and to when others were moved', async () => {
    await using person = await atWork([{ ...series, due_date: inHours(48) }]); // of the year to come
    const { page, made, account } = person;
    const open = async () => (await account.call<Kept[]>('GET', '/tasks?kind=instance'))[0];
    await account.call('DELETE', `/tasks/${(await open())?.id}`);
    const next = await open();
    await account.call('PATCH', `/tasks/${next?.id}`, { due_date: `${next?.occurrence_date}T22:30:00Z` });
    await page.goto(`/series?task=${made[0]?.id}`);
    const dates = page.locator('.detail .preview li');
    for (const hasText of ['skipped', 'moved']) await dates.filter({ hasText }).waitFor();
    const [skipped, moved, ...others] = await dates.allInnerTexts();
    expect(skipped).toContain('skipped');
    expect(moved).toMatch(/[02]\d:30\s+moved$/);
    expect(others.filter((words) => /[a-z]{4}/.test(words))).toEqual([]);
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('Time').fill('10:00'); // of a rule that is not saved nothing is known
    await dates.filter({ hasText: 'skipped' }).waitFor({ state: 'detached' });
  });

  test('one date is skipped by two clicks: the next one takes its place, and it never comes back', async () => {
    await using person = await atWork([{ ...series, due_date: inHours(48) }]); // of the year to come
    const { page, account } = person;
    const dates = async () =>
      (await account.call<Kept[]>('GET', '/tasks?kind=instance')).map(({ occurrence_date: date }) => String(date));
    const [first = ''] = await dates();
    await row(page, 'Stand-up').hover();
    await page.getByRole('button', { name: 'More: Stand-up' }).click();
    await shoot(page, 'menu-1280-light');
    expect(await violations(page)).toEqual([]);
    const isDeletion = (response: Answer) => response.request().method() === 'DELETE';
    const answered = page.waitForResponse(isDeletion, { timeout: 30_000 }); // asked for 6 s after the click
    await page.getByRole('menuitem', { name: 'Skip this date' }).click();
    const words = (day: string) => fullTime(day, ZONE);
    const next = words(addDays(first, 1));
    await page.getByText(`Skipped ${words(first)}. Next: ${next}, `).waitFor();
    const wait = page.getByTitle('Not answered by the server yet');
    await wait.waitFor();
    expect(await page.locator('.row').count()).toBe(1);
    expect(await dates()).toEqual([first]);
    await page
      .locator('nav')
      .getByRole('link', { name: /^Series/ })
      .click();
    await page.getByText(`next ${next}, `).waitFor();
    await page.locator('nav').getByRole('link', { name: /^All/ }).click();
    await answered;
    await wait.waitFor({ state: 'detached' });
    expect(await page.locator('.row').count()).toBe(1);
    expect(await dates()).toEqual([addDays(first, 1)]);
  });
});

describe('moving and reminding', () => {
  test('to tomorrow by two keys or two clicks, at the same time', async () => {
    await using person = await atWork([
      { title: 'First', due_date: inHours(0.5) },
      { title: 'Then', due_date: inHours(1) },
    ]);
    const { page, made, read } = person;
    const day = async (index: number) => dayOf(Date.parse(String((await read(made[index]?.id ?? '')).due_date)), ZONE);
    const tomorrow = addDays(dayOf(Date.now(), ZONE), 1);
    await page.keyboard.press('j');
    await page.keyboard.press('t');
    await page.keyboard.press('t');
    await page.getByText('Moved to tomorrow: First').waitFor();
    await row(page, 'Then').hover();
    await page.getByRole('button', { name: 'More: Then' }).click();
    await page.getByRole('menuitem', { name: 'Move to tomorrow' }).click();
    await page.getByText('Moved to tomorrow: Then').waitFor();
    await page.getByTitle('Not answered by the server yet').first().waitFor({ state: 'detached' });
    expect([await day(0), await day(1)]).toEqual([tomorrow, tomorrow]);
  });

  test('a reminder that fires is snoozed by one click or two keys, and dismissed by one', async () => {
    const due = new Date(Date.now() + 60_000 + 3_000).toISOString();
    const rung = { due_date: due, reminder_offset: '1 minute' };
    await using person = await atWork([
      { title: 'Bake', ...rung },
      { title: 'Call', ...rung },
      { title: 'Dine', ...rung },
    ]);
    const { page, made, read } = person;
    const reminder = (title: string) => page.getByRole('article', { name: `Reminder: ${title}` });
    await page.getByRole('button', { name: '1 more reminder' }).click();
    for (const title of ['Bake', 'Call', 'Dine']) await reminder(title).waitFor();
    await page
      .getByRole('status')
      .getByText(/Reminder: (Bake|Call|Dine)/)
      .waitFor({ state: 'attached' });
    expect(await reminder('Bake').innerText()).toMatch(/due in (a moment|1 min) · reminder 1 min before/);
    await shoot(page, 'reminders-1280-light');
    expect(await violations(page)).toEqual([]);
    await reminder('Bake').getByRole('button', { name: '10 min' }).click();
    await page.getByText('Due stays as it is').waitFor();
    await row(page, 'Bake')
      .getByText(/reminds again (Tomorrow )?\d\d:\d\d/)
      .waitFor();
    await reminder('Dine').getByRole('button', { name: 'Dismiss' }).press('Enter');
    await reminder('Dine').waitFor({ state: 'detached' });
    expect(await page.locator(':focus').innerText()).toBe('Call'); // the next one's name: Enter does nothing to it
    await page.keyboard.press('s');
    await page.keyboard.press('2');
    await reminder('Call').waitFor({ state: 'detached' });
    await page.getByTitle('Not answered by the server yet').first().waitFor({ state: 'detached' });
    const kept = await Promise.all(made.map(({ id }) => read(id)));
    expect(kept.map(({ reminder_status: status }) => status)).toEqual(['pending', 'pending', 'acknowledged']);
    expect(kept.map(({ due_date: at }) => at)).toEqual([due, due, due]);
  });

  test('a snooze is taken back by one key or one click, and was never sent', async () => {
    const due = new Date(Date.now() + 63_000).toISOString();
    await using person = await atWork([{ title: 'Bake', due_date: due, reminder_offset: '1 minute' }]);
    const { page, made, read } = person;
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    const reminder = page.getByRole('article', { name: 'Reminder: Bake' });
    for (const takeBack of [() => page.keyboard.press('z'), () => page.getByRole('button', { name: 'Undo' }).click()]) {
      await reminder.getByRole('button', { name: 'Snooze 10 min' }).click();
      await reminder.waitFor({ state: 'detached' });
      await page.getByText('Reminds again: 10 min. Due stays as it is.').waitFor();
      await takeBack();
      await reminder.waitFor();
    }
    expect(asked.filter((path) => path.endsWith('/snooze'))).toEqual([]);
    await eventually(async () => (await read(made[0]?.id ?? '')).reminder_status === 'sent'); // heard of by chat-api, too
  });

  test('on a phone reminders are one line that opens by a tap, and sign-out is in the menu', async () => {
    const account = await newAccount(house.stack);
    const due = new Date(Date.now() + 63_000).toISOString();
    const { id } = await account.call<Kept>('POST', '/tasks', {
      title: 'Bake',
      due_date: due,
      reminder_offset: '1 minute',
    });
    await using visit = await house.visit({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const { page } = visit;
    await signIn(page, account);
    await page.getByRole('button', { name: '1 reminder · Bake' }).waitFor();
    expect(await page.getByRole('article').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: '1 reminder · Bake' }).tap();
    const snooze = page.getByRole('button', { name: 'Snooze 10 min' });
    await snooze.waitFor();
    expect((await snooze.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(0);
    await page.getByRole('button', { name: 'More', exact: true }).tap();
    await page.getByRole('menuitem', { name: 'Sign out' }).waitFor();
    await page.keyboard.press('Escape');
    await page.goto(`/all?task=${id}`);
    await page.getByLabel('Title').waitFor();
    expect(await page.getByLabel('Title').evaluate((field) => field === field.ownerDocument.activeElement)).toBe(false);
  });
});
