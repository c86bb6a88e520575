import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Account, type House, newAccount, openHouse, signIn, signOut, type Visit, violations } from './visit.ts';

let house: House;
beforeAll(async () => void (house = await openHouse()));
afterAll(() => house?.close());

/** A person at work, with the tasks named. */
async function atWork(tasks: object[] = [], path = '/') {
  const account = await newAccount(house.stack);
  for (const task of tasks) await account.call('POST', '/tasks', task);
  const visit = await house.visit();
  await signIn(visit.page, account);
  if (path !== '/') await visit.page.goto(path);
  return { account, visit, page: visit.page, [Symbol.asyncDispose]: () => visit.context.close() };
}

const row = (page: Visit['page'], title: string) => page.locator('.row', { hasText: title });
const rows = (page: Visit['page']) => page.locator('.row');
const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
const kept = (account: Account, query = '') => account.call<Record<string, unknown>[]>('GET', `/tasks?${query}`);

describe('add', () => {
  test('by two keys beside the typing: date, repeat and reminder, said back before it is saved', async () => {
    await using person = await atWork();
    const { page, account } = person;
    await page.keyboard.press('q');
    await page.keyboard.type('Rent every month on the 1st 9:00 remind 1 day');
    const chips = page.getByRole('list', { name: 'Understood' }).getByRole('listitem');
    expect(await chips.allInnerTexts()).toEqual([
      expect.stringContaining('every month on the 1st'),
      expect.stringContaining('09:00'),
      expect.stringContaining('reminds 1 day before'),
    ]);
    const preview = page.locator('.preview');
    await preview.getByText('1st').first().waitFor();
    expect(await preview.getByRole('listitem').count()).toBe(3);
    await page.keyboard.press('Enter');
    await page.getByText('Added: Rent').waitFor();
    expect(await kept(account, 'kind=series')).toMatchObject([
      { title: 'Rent', recurrence_pattern: 'monthly:1', reminder_offset: 'P1D' },
    ]);
    // The line is empty and has the focus: the next one is typed at once.
    await page.keyboard.type('Buy milk today');
    await page.keyboard.press('Enter');
    await row(page, 'Buy milk').waitFor();
  });

  test('of what the server refuses gives the words back, with the reason beside them', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true }); // its console shows the refusal
    const { page } = visit;
    await signIn(page, account);
    const line = page.getByLabel('Add a task');
    await line.fill('Far 9999-12-31 10:00');
    await line.press('Enter');
    await page.getByRole('alert').filter({ hasText: '1970 to 9998' }).first().waitFor();
    expect(await line.inputValue()).toBe('Far 9999-12-31 10:00');
    expect(await page.getByText('1970 to 9998').count()).toBe(1);
  });

  test('by one click beside the typing, and undone', async () => {
    await using person = await atWork([], '/all');
    const { page, account } = person;
    await page.getByLabel('Add a task').fill('Call the bank tomorrow 9am !high');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('Added: Call the bank').waitFor();
    expect(await row(page, 'Call the bank').innerText()).toContain('high');
    await page.getByRole('button', { name: 'Undo' }).click();
    await row(page, 'Call the bank').waitFor({ state: 'detached' });
    await page.reload();
    await page.getByText('Say a whole task').waitFor();
    expect(await kept(account)).toEqual([]);
  });

  test('without a date leads to where it is, and is taken back from the empty line', async () => {
    await using person = await atWork();
    const { page, account } = person;
    await page.keyboard.press('q');
    await page.keyboard.type('Buy milk');
    await page.keyboard.press('Enter');
    const bar = page.locator('.bar', { hasText: 'Added to All, without a date: Buy milk' });
    await bar.getByRole('button', { name: 'Undo Ctrl Z' }).waitFor();
    expect(await bar.getByRole('link', { name: 'Open' }).getAttribute('href')).toStartWith('/all?task=');
    const answered = page.waitForResponse((response) => response.request().method() === 'DELETE');
    await page.keyboard.press('Control+z');
    await answered;
    expect(await kept(account)).toEqual([]);
    await page.keyboard.type('Buy bread');
    await page.keyboard.press('Enter');
    await page.locator('.bar', { hasText: 'Buy bread' }).waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page)).toEqual([]);
    }
  });

  test('a line that is not added yet outlives a reload of its own tab, and no other has it', async () => {
    await using person = await atWork();
    const { page, visit } = person;
    const line = page.getByLabel('Add a task');
    await line.fill('Buy milk today');
    await page.reload();
    expect(await line.inputValue()).toBe('Buy milk today');
    const other = await visit.tab();
    expect(await other.getByLabel('Add a task').inputValue()).toBe('');
    await line.press('Enter');
    await page.getByText('Added: Buy milk').waitFor();
    await page.reload();
    expect(await line.inputValue()).toBe('');
  });

  test('a line that is not added yet is shown to nobody who signs in next', async () => {
    const [account, ben] = [await newAccount(house.stack), await newAccount(house.stack)];
    await using visit = await house.visit({ inTrouble: true }); // what the other tab reads just then is refused
    const { page } = visit;
    await signIn(page, account);
    const line = page.getByLabel('Add a task');
    await line.fill('A secret');
    await page.goto('about:blank'); // as a browser puts a tab to sleep
    const other = await visit.tab();
    await signOut(other);
    await signIn(other, ben);
    await page.goto('/');
    expect(await line.inputValue()).toBe('');
    await line.fill('Another secret');
    await signOut(page);
    await signIn(page, account);
    expect(await line.inputValue()).toBe('');
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  test('goes on in a form, with what is typed and what was understood of it', async () => {
    await using person = await atWork();
    const { page, account } = person;
    await page.getByLabel('Add a task').fill('Rent every month on the 1st 9:00 remind 1 day');
    await page.getByRole('button', { name: 'Details' }).click();
    const form = page.getByRole('complementary', { name: 'New task' });
    expect(await form.getByLabel('Title').inputValue()).toBe('Rent');
    expect(await form.getByLabel('Time').inputValue()).toBe('09:00');
    expect(await form.getByLabel('Repeat').inputValue()).toBe('monthly');
    expect(await form.getByLabel('Reminder').inputValue()).toBe('P1D');
    expect(await page.getByLabel('Add a task').inputValue()).toBe('');
    await form.locator('.preview').waitFor();
    expect(await violations(page)).toEqual([]);
    await form.getByLabel('Notes').fill('To Anna');
    await form.getByRole('button', { name: 'Add' }).click();
    await page.getByText('Added: Rent').waitFor();
    expect(await form.count()).toBe(0);
    expect(await kept(account, 'kind=series')).toMatchObject([
      { title: 'Rent', recurrence_pattern: 'monthly:1', reminder_offset: 'P1D', description: 'To Anna' },
    ]);
  });

  test('in a form is a command, and what is typed there is not lost by going elsewhere', async () => {
    await using person = await atWork([], '/series');
    const { page, account } = person;
    await page.getByRole('heading', { name: 'Series', level: 1 }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('in a form');
    await page.keyboard.press('Enter');
    const form = page.getByRole('complementary', { name: 'New task' });
    await form.waitFor();
    await page.keyboard.type('Gym');
    await page.getByLabel('Add a task').fill('Another');
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('alert').getByText('The open task is not saved yet').waitFor();
    expect(await page.getByLabel('Add a task').inputValue()).toBe('Another');
    await page.getByRole('link', { name: 'Upcoming' }).click();
    const dialog = page.getByRole('dialog', { name: 'Not saved yet' });
    await dialog.getByText('“Gym” is not saved yet').waitFor();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Added to All, without a date: Gym').waitFor();
    await page.getByRole('heading', { name: 'Upcoming', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Details' }).click();
    expect(await form.getByLabel('Title').inputValue()).toBe('Another');
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Discard' }).click();
    await form.waitFor({ state: 'detached' });
    expect((await kept(account)).map(({ title }) => title)).toEqual(['Gym']);
  });

  test('in a form without its repeat, or its date, is added without what counted from that', async () => {
    await using person = await atWork();
    const { page, account } = person;
    const form = page.getByRole('complementary', { name: 'New task' });
    await page.getByLabel('Add a task').fill('Water plants every day until 30 jun');
    await page.getByRole('button', { name: 'Details' }).click();
    await form.getByLabel('Repeat').selectOption('Does not repeat');
    await form.getByRole('button', { name: 'Add' }).click();
    await page.getByText('Added: Water plants').waitFor();
    await page.getByLabel('Add a task').fill('Tea tomorrow 9am ^15m');
    await page.getByRole('button', { name: 'Details' }).click();
    await form.getByLabel('Due', { exact: true }).fill('');
    await form.getByRole('button', { name: 'Add' }).click();
    await page.getByText('Added to All, without a date: Tea').waitFor();
    expect(await kept(account, 'kind=series')).toEqual([]);
  });

  test('in a form that the server refuses is back with the reason', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true }); // its console shows the refusal
    const { page } = visit;
    await signIn(page, account);
    await page.getByLabel('Add a task').fill('Far 9999-12-31 10:00');
    await page.getByRole('button', { name: 'Details' }).click();
    const form = page.getByRole('complementary', { name: 'New task' });
    await form.getByRole('button', { name: 'Add' }).click();
    await form.getByRole('alert').filter({ hasText: '1970 to 9998' }).waitFor();
    expect(await form.getByLabel('Title').inputValue()).toBe('Far');
  });

  test('what was misunderstood is left in the title', async () => {
    await using person = await atWork([], '/all');
    const { page } = person;
    await page.getByLabel('Add a task').fill('Ask Mon about the roof mon');
    await page.getByRole('button', { name: 'Leave “mon” in the title' }).click();
    await page.getByRole('button', { name: 'Leave “Mon” in the title' }).click();
    await page.keyboard.press('Enter');
    await row(page, 'Ask Mon about the roof mon').waitFor();
  });

  test('a part that cannot be kept is refused in words, and nothing is lost', async () => {
    await using person = await atWork();
    const { page } = person;
    await page.getByLabel('Add a task').fill('Tea ^15m');
    await page.keyboard.press('Enter');
    await page.getByText('A reminder needs a date or a time.').waitFor();
    expect(await page.getByLabel('Add a task').inputValue()).toBe('Tea ^15m');
  });
});

describe('complete', () => {
  const tasks = [
    { title: 'First', due_date: inHours(-1) },
    { title: 'Second', due_date: inHours(-0.2) },
    { title: 'Third', due_date: inHours(-0.1) },
  ];

  test('by one click, and undone by one', async () => {
    await using person = await atWork(tasks);
    const { page, account } = person;
    await page.getByLabel('Complete: First').click();
    await row(page, 'First').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await row(page, 'First').waitFor();
    await page.getByTitle('Not answered by the server yet').waitFor({ state: 'detached' });
    expect(await kept(account, 'completed=true')).toEqual([]);
  });

  test('by a click touches no other task: the one that slides under the mouse shows nothing until that moves', async () => {
    await using person = await atWork(tasks);
    const { page } = person;
    const ring = (title: string) =>
      page.evaluate<string[]>(
        `[undefined, '::after'].map((part) =>
          getComputedStyle(document.querySelector('[aria-label="Complete: ${title}"]'), part).borderRightColor)`,
      );
    const box = await page.getByLabel('Complete: Second').boundingBox();
    const [x, y] = [(box?.x ?? 0) + 5, (box?.y ?? 0) + 5];
    const plain = await ring('Third');
    await page.mouse.click(x, y);
    await row(page, 'Second').waitFor({ state: 'detached' });
    await page.locator('.check:hover').getByLabel('Complete: Third').waitFor();
    expect(await ring('Third')).toEqual(plain);
    await page.mouse.move(x + 1, y);
    const [border, tick] = await ring('Third');
    expect([border === plain[0], tick]).toEqual([false, plain[1]]);
  });

  test('is undone by either key wherever the focus is, and the bar names one that works there', async () => {
    await using person = await atWork(tasks);
    const { page } = person;
    const undo = (name: string) => page.locator('.bar').getByRole('button', { name, exact: true }).waitFor();
    const complete = async () => {
      await page.getByLabel('Complete: First').click();
      await row(page, 'First').waitFor({ state: 'detached' });
      await undo('Undo z');
    };
    for (const key of ['Control+z', 'z']) {
      await complete();
      await page.keyboard.press(key);
      await row(page, 'First').waitFor();
    }
    await complete();
    await row(page, 'Third').getByRole('link').click();
    await page.getByRole('button', { name: 'Close the task' }).focus();
    await page.keyboard.press('z');
    await row(page, 'First').waitFor();
    await page.getByRole('button', { name: 'Close the task' }).click();
    await complete();
    const line = page.getByLabel('Add a task');
    await line.focus();
    await undo('Undo Ctrl Z');
    await line.pressSequentially('Tea');
    await undo('Undo');
    await page.keyboard.press('Control+z');
    expect(await line.inputValue()).not.toBe('Tea');
    expect(await row(page, 'First').count()).toBe(0);
    await line.fill('');
    await page.keyboard.press('Control+z');
    await row(page, 'First').waitFor();
  });

  test('by one key, and undone by one; the focus goes to the next task and never to the page', async () => {
    await using person = await atWork(tasks);
    const { page, account } = person;
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    expect(await page.locator(':focus').innerText()).toContain('Second');
    await page.keyboard.press('x');
    await row(page, 'Second').waitFor({ state: 'detached' });
    expect(await page.locator(':focus').innerText()).toContain('Third');
    await page.keyboard.press('x');
    await row(page, 'Third').waitFor({ state: 'detached' });
    expect(await page.locator(':focus').innerText()).toContain('First');
    await page.keyboard.press('z');
    await row(page, 'Third').waitFor();
    await page.getByTitle('Not answered by the server yet').waitFor({ state: 'detached' });
    expect(await kept(account, 'completed=true')).toMatchObject([{ title: 'Second' }]);
  });
});

describe('a key', () => {
  const tasks = [{ title: 'First' }, { title: 'Second' }];
  const titles = (page: Visit['page']) => page.locator('.row-title').allInnerTexts();

  test('does nothing to a task that nobody has chosen', async () => {
    await using person = await atWork(tasks, '/all');
    const { page, account } = person;
    await row(page, 'First').waitFor();
    for (const key of ['x', '#', 'Delete', 'e']) await page.keyboard.press(key);
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.getByText('Done: Second').waitFor();
    expect(await titles(page)).toEqual(['First']);
    await page.getByTitle('Not answered by the server yet').waitFor({ state: 'detached' });
    expect(await kept(account, 'completed=true')).toMatchObject([{ title: 'Second' }]);
    expect(await kept(account)).toHaveLength(2);
  });

  test('means the task whose menu was used, then the next one', async () => {
    await using person = await atWork([...tasks, { title: 'Third' }], '/all');
    const { page } = person;
    const choose = async (title: string, name: string) => {
      await row(page, title).hover();
      await page.getByRole('button', { name: `More: ${title}` }).click();
      await page.getByRole('menuitem', { name }).click();
    };
    await choose('Third', 'Delete');
    await row(page, 'Third').waitFor({ state: 'detached' });
    expect(await page.locator(':focus').innerText()).toContain('Second');
    await choose('First', 'Move to tomorrow');
    await page.getByText('Moved to tomorrow: First').waitFor();
    await page.keyboard.press('x');
    await page.getByText('Done: First').waitFor();
  });

  test('means the task that is open where no row has the focus', async () => {
    await using person = await atWork(tasks, '/all');
    const { page } = person;
    await row(page, 'First').getByRole('link').click();
    await page.getByLabel('Title').waitFor();
    await page.getByRole('heading', { name: 'All', level: 1 }).click();
    await page.keyboard.press('#');
    await page.getByText('Deleted: ').waitFor();
    expect(await titles(page)).toEqual(['Second']);
    await page.keyboard.press('z');
    await row(page, 'First').waitFor();
    await row(page, 'Second').focus();
    await page.keyboard.press('x');
    await page.getByText('Done: Second').waitFor();
  });
});

describe('delete', () => {
  test('is sent only when it can no longer be undone', async () => {
    await using person = await atWork([{ title: 'Keep' }, { title: 'Drop' }], '/all');
    const { page, account } = person;
    await page.clock.install();
    await row(page, 'Drop').focus();
    await page.keyboard.press('#');
    await row(page, 'Drop').waitFor({ state: 'detached' });
    await page.keyboard.press('z');
    await row(page, 'Drop').waitFor();
    await page.clock.runFor(10_000);
    expect(await kept(account)).toHaveLength(2);
    await row(page, 'Drop').hover();
    await page.getByRole('button', { name: 'More: Drop' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    const answered = page.waitForResponse((response) => response.request().method() === 'DELETE');
    await page.clock.runFor(6_000);
    expect((await answered).status()).toBe(204);
    expect(await kept(account)).toMatchObject([{ title: 'Keep' }]);
  });

  test('a page that is left sends what waits', async () => {
    await using person = await atWork([{ title: 'Drop' }], '/all');
    const { page, visit, account } = person;
    await row(page, 'Drop').hover();
    await page.getByRole('button', { name: 'More: Drop' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await row(page, 'Drop').waitFor({ state: 'detached' });
    await page.goto('about:blank');
    const next = await visit.tab('/all');
    await next.getByText('Say a whole task').waitFor();
    expect(await kept(account)).toEqual([]);
  });
});

describe('Today', () => {
  test('all that is overdue moves to today by one click, and back by one', async () => {
    await using person = await atWork([
      { title: 'Late', due_date: '2026-01-05T08:00:00Z' },
      { title: 'Later', due_date: '2026-02-05' },
      { title: 'Not yet', due_date: inHours(24 * 9) },
    ]);
    const { page } = person;
    expect(await page.getByRole('heading', { level: 2 }).allInnerTexts()).toEqual(['Overdue']);
    await page.getByRole('button', { name: 'Move all to today' }).click();
    await page.getByRole('heading', { name: 'Overdue' }).waitFor({ state: 'detached' });
    expect(await rows(page).count()).toBe(2);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('heading', { name: 'Overdue' }).waitFor();
  });

  test('of nothing it says what comes next', async () => {
    await using person = await atWork([{ title: 'Call the bank', due_date: inHours(24 * 9) }]);
    await person.page.getByText('Next: Call the bank').waitFor();
  });
});

test('what people write is text in every place, never code', async () => {
  const evil = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>{{7*7}}"'`;
  await using person = await atWork([{ title: evil, due_date: inHours(0.5), description: evil }]);
  const { page } = person;
  await page.getByLabel('Add a task').fill(evil);
  await page.keyboard.press('Enter');
  await page.getByText('without a date: <img').waitFor();
  for (const path of ['/', '/all', '/%3Cimg%20src=x%3E']) {
    await page.goto(path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect(await page.title()).toBe('TaskFlow');
  }
});

test('a list that is cut in chunks has one line between two rows', async () => {
  await using person = await atWork([{ title: 'Some day' }], '/all');
  await person.page.locator('.chunk').waitFor();
  const next = `const [one] = document.querySelectorAll('.chunk'); one.after(one.cloneNode(true))`;
  expect(await person.page.evaluate(`${next}; getComputedStyle(one.nextSibling).borderTopWidth`)).toBe('0px');
});

test('? lists every key, and each place is two keys away', async () => {
  await using person = await atWork([{ title: 'Some day' }]);
  const { page } = person;
  await page.setViewportSize({ width: 1280, height: 400 });
  await page.clock.install();
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keys' });
  await dialog.waitFor();
  const [frame, heading] = [await dialog.boundingBox(), await dialog.getByRole('heading').boundingBox()];
  expect(heading?.y).toBeGreaterThan(frame?.y ?? Infinity);
  await page.keyboard.press('x'); // means nothing here
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.clock.pauseAt(Date.now() + 5_000);
  await page.keyboard.press('g');
  await page.clock.runFor(1_500); // by who types slowly
  await page.keyboard.press('a');
  await page.clock.resume();
  await page.getByRole('heading', { name: 'All', level: 1 }).waitFor();
  expect(await rows(page).count()).toBe(1);
});
