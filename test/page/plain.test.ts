import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type House, newAccount, openHouse, signIn, violations, type Visit } from './visit.ts';

// What is left of TaskFlow when chat-api is set back to Phase IV: accounts and plain tasks.
let house: House;
beforeAll(async () => void (house = await openHouse({ settings: { 'chat-api': { EVENTS: 'off' } } })));
afterAll(() => house?.close());

type Page = Visit['page'];
const row = (page: Page, title: string) => page.locator('.row', { hasText: title });
const enter = async (page: Page, { email, password }: { email: string; password: string }) => {
  await page.goto('/');
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
  await page.getByText('Without live updates; this page looks again each minute.').waitFor();
};

describe('with EVENTS=off', () => {
  test('tasks are added, completed and deleted; nothing is promised that is not there', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true, viewport: { width: 1280, height: 800 } });
    const { page } = visit;
    await enter(page, account);
    expect(await page.locator('nav').getByRole('link').allInnerTexts()).toEqual([
      expect.stringContaining('All'),
      expect.stringContaining('Done'),
      expect.stringContaining('Settings'),
    ]);
    await page.getByLabel('Add a task').fill('Call the bank tomorrow 9am');
    await page.keyboard.press('Enter');
    await row(page, 'Call the bank tomorrow 9am').waitFor(); // dates mean nothing here
    await page.getByLabel('Add a task').fill('Drop');
    await page.keyboard.press('Enter');
    await row(page, 'Drop').waitFor();
    await page.getByLabel('Complete: Call the bank').click();
    await row(page, 'Call the bank').waitFor({ state: 'detached' });
    await page.getByTitle('Not answered by the server yet').waitFor({ state: 'detached' });
    await row(page, 'Drop').hover();
    await page.getByRole('button', { name: 'More: Drop' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await row(page, 'Drop').waitFor({ state: 'detached' });
    await page.goto('/done');
    await row(page, 'Call the bank').waitFor();
    await page.goto('/all');
    await page.getByText('Without live updates').waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').getByRole('combobox').fill('search'); // there is none
    await page.getByRole('dialog').getByRole('option').first().waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    expect(await page.getByText('Connecting').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    expect((await account.call<{ completed: boolean }[]>('GET', '/tasks')).map((task) => task.completed)).toEqual([
      true,
    ]);
  });

  test('what others do is seen within a minute', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await page.clock.install();
    await enter(page, account);
    await account.call('POST', '/tasks', { title: 'From elsewhere' });
    await page.clock.runFor(61_000);
    await row(page, 'From elsewhere').waitFor();
  });
});

describe('switched off and on under an open page', () => {
  test('it says so when it is looked at again', async () => {
    const settings: { 'chat-api': Record<string, string> } = { 'chat-api': {} };
    await using other = await openHouse({ settings });
    const account = await newAccount(other.stack);
    await using visit = await other.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    const restart = async (own: Record<string, string>) => {
      settings['chat-api'] = own;
      await other.stack.stopOne('chat-api');
      await other.stack.start('chat-api');
      await page.evaluate(`dispatchEvent(new Event('focus'))`);
    };
    await restart({ EVENTS: 'off' });
    await page.getByText('Without live updates; this page looks again each minute.').waitFor();
    await restart({});
    await page.getByText('Live', { exact: true }).waitFor();
    await account.call('POST', '/tasks', { title: 'Heard', due_date: new Date().toISOString().slice(0, 10) });
    await row(page, 'Heard').waitFor();
  });
});
