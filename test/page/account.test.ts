import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { operate } from '../support/operate.ts';
import { eventually } from '../support/wait.ts';
import { type House, newAccount, openHouse, shoot, signIn, violations } from './visit.ts';

let house: House;
beforeAll(async () => void (house = await openHouse()));
afterAll(() => house?.close());

const desk = { width: 1280, height: 800 };

describe('the door', () => {
  test('a wrong password is refused in words, and what was typed stays', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await page.goto('/');
    await page.getByLabel('Email').fill(account.email);
    await page.getByLabel('Password', { exact: true }).fill('Wrong-Day-42');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    expect(await page.getByLabel('Email').inputValue()).toBe(account.email);
    await page.getByRole('button', { name: 'Show: Password' }).click();
    expect(await page.getByLabel('Password', { exact: true }).getAttribute('type')).toBe('text');
  });

  test('from no account to the first task: two fields and a click, in the zone of the device', async () => {
    await using visit = await house.visit({ timezoneId: 'America/New_York' });
    const { page } = visit;
    await page.goto('/');
    await page.getByRole('link', { name: 'Make an account' }).click();
    await page.getByRole('heading', { name: 'Make an account' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('Email').fill(`ben.${crypto.randomUUID().slice(0, 8)}@example.com`);
    await page.getByLabel('Password', { exact: true }).fill('Sunny-Day-42');
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.getByLabel('Add a task').fill('Buy milk today');
    await page.keyboard.press('Enter');
    await page.locator('.row', { hasText: 'Buy milk' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/');
    await page.goto('/settings');
    expect(await page.getByLabel('Time zone').inputValue()).toBe('America/New_York');
  });

  test('a reset code sets a new password', async () => {
    const account = await newAccount(house.stack);
    const { out } = await operate(house.stack, 'chat-api', ['users', 'reset-password', account.email, '--json']);
    const { code } = JSON.parse(out) as { code: string };
    await using visit = await house.visit();
    const { page } = visit;
    await page.goto(`/reset?code=${encodeURIComponent(code)}`);
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('New password', { exact: true }).fill('Rainy-Day-43');
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByRole('heading', { name: 'The password is changed' }).waitFor();
    await signIn(page, { email: account.email, password: 'Rainy-Day-43' });
  });
});

describe('settings', () => {
  test('the zone, the theme and the single keys are what they are set to, now and after a reload', async () => {
    const account = await newAccount(house.stack);
    await account.call('POST', '/tasks', { title: 'Tea', due_date: '2030-05-06T15:00:00Z' });
    await using visit = await house.visit({ viewport: desk, colorScheme: 'light' });
    const { page } = visit;
    await signIn(page, account);
    await page.goto('/settings');
    await page.getByLabel('Time zone').selectOption('Asia/Tokyo');
    await page.getByText('this device is in Europe/Berlin').waitFor();
    await page.getByLabel('Theme').selectOption('dark');
    await page.getByLabel('Single keys').uncheck();
    await page.getByText('this one').waitFor();
    await shoot(page, 'settings-1280-dark');
    expect(await violations(page)).toEqual([]);
    await page.goto('/all');
    await page.locator('.row', { hasText: '7 May 2030 00:00' }).waitFor();
    expect(await page.evaluate<string>('getComputedStyle(document.documentElement).colorScheme')).toContain('dark');
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.keyboard.press('?');
    expect(await page.locator('.row').count()).toBe(1);
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  test('are the same in another tab: the zone and those of the device at once, others when one comes to it', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ viewport: desk });
    const { page } = visit;
    await signIn(page, account);
    await page.goto('/settings');
    const other = await visit.tab('/settings');
    await other.getByLabel('Tell me of').waitFor();
    await page.getByLabel('Theme').selectOption('dark');
    await page.getByLabel('Single keys').uncheck();
    await page.getByLabel('Leave titles out').check();
    await eventually(async () => (await other.getByLabel('Theme').inputValue()) === 'dark');
    await other.getByLabel('Single keys').and(other.locator(':not(:checked)')).waitFor();
    await other.getByLabel('Leave titles out').and(other.locator(':checked')).waitFor();
    await page.getByLabel('Time zone').selectOption('Asia/Tokyo');
    await page.getByText('Times are in Asia/Tokyo.').waitFor();
    await other.getByText('this device is in Europe/Berlin').waitFor();
    await page.getByLabel('Tell me of').selectOption('reminders only');
    await page.getByText('Saved.').waitFor();
    await other.evaluate("dispatchEvent(new Event('focus'))");
    await eventually(async () => (await other.getByLabel('Tell me of').inputValue()) === 'critical');
  });

  test('the zone that was chosen stays, whatever an older answer says', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ viewport: desk });
    const { page } = visit;
    await signIn(page, account);
    await page.goto('/settings');
    await page.getByText('this one').waitFor();
    const [asked, late] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await page.route('**/api/v1/settings', async (route) => {
      if (route.request().method() !== 'GET') return route.continue();
      const response = await route.fetch();
      asked.resolve();
      await late.promise;
      return route.fulfill({ response });
    });
    await page.evaluate("dispatchEvent(new Event('focus'))");
    await asked.promise;
    await page.getByLabel('Time zone').selectOption('Asia/Tokyo');
    await page.getByText('Times are in Asia/Tokyo.').waitFor();
    const answered = page.waitForResponse((response) => response.url().endsWith('/settings'));
    late.resolve();
    await (await answered).finished();
    await page.evaluate('new Promise(requestAnimationFrame)');
    expect(await page.getByLabel('Time zone').inputValue()).toBe('Asia/Tokyo');
  });

  test('an API token is shown once, works, and works no more once it is revoked', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ viewport: desk });
    const { page } = visit;
    await signIn(page, account);
    await page.goto('/settings');
    await page.getByLabel('Name of the program').fill('<i>backup</i>');
    expect(await page.getByLabel('Read tasks').isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Make a token' }).click();
    const token = await page.locator('.made code').innerText();
    const use = () =>
      fetch(house.stack.url('/api/v1/tasks'), { headers: { authorization: `Bearer ${token}` } }).then(
        ({ status }) => status,
      );
    expect(await use()).toBe(200);
    await page.getByRole('button', { name: 'Revoke <i>backup</i>' }).click();
    expect(await use()).toBe(200);
    await page.getByRole('button', { name: 'Revoke for good <i>backup</i>' }).click();
    await page.getByText('is revoked').waitFor();
    expect(await page.locator('.made').count()).toBe(0);
    expect(await use()).toBe(401);
  });

  test('a session elsewhere is ended; a wrong current password is refused and signs nobody out', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ viewport: desk, inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    await page.goto('/settings');
    await page
      .locator('.access')
      .getByRole('button', { name: /^Sign out/ })
      .click();
    await page.getByText('Signed out there.').waitFor();
    expect((await fetch(house.stack.url('/api/v1/tasks'), { headers: account.headers })).status).toBe(401);
    await page.getByLabel('Current password', { exact: true }).fill('Wrong-Day-42');
    await page.getByLabel('New password', { exact: true }).fill('Rainy-Day-43');
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
    await page.getByLabel('Current password', { exact: true }).fill(account.password);
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByText('The password is changed').waitFor();
  });
});
