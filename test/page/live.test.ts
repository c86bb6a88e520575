import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../support/wait.ts';
import { type House, newAccount, openHouse, signIn } from './visit.ts';

let house: House;
beforeAll(async () => void (house = await openHouse()));
afterAll(() => house?.close());

const openStreams = async (): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${house.stack.ports['notification-service']}/metrics`)).text();
  return Number(/^taskflow_streams_open(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1] ?? Number.NaN);
};

describe('a change elsewhere', () => {
  test('is seen in another tab and another browser; eight tabs share one stream', async () => {
    const account = await newAccount(house.stack);
    await using desk = await house.visit();
    await using phone = await house.visit({ viewport: { width: 390, height: 844 } });
    await signIn(desk.page, account);
    await signIn(phone.page, account);
    const tabs = [];
    for (let i = 0; i < 7; i++) tabs.push(await desk.tab('/all'));
    for (const tab of tabs) await tab.getByText('Live', { exact: true }).waitFor();
    expect(await openStreams()).toBe(2);
    await phone.page.getByLabel('Add a task').fill('Buy milk today');
    await phone.page.keyboard.press('Enter');
    for (const tab of [desk.page, ...tabs]) await tab.locator('.row', { hasText: 'Buy milk' }).waitFor();
    await desk.page.getByLabel('Complete: Buy milk').click();
    await phone.page.locator('.row', { hasText: 'Buy milk' }).waitFor({ state: 'detached' });
    for (const tab of tabs) await tab.locator('.row', { hasText: 'Buy milk' }).waitFor({ state: 'detached' });
    await Promise.all([desk.context.close(), phone.context.close()]);
    await eventually(async () => (await openStreams()) === 0, { what: 'streams of closed browsers to end' });
  });
});

describe('trouble', () => {
  test('a fourth browser says that others have the places, works without, and looks again each minute, at its inbox too', async () => {
    const account = await newAccount(house.stack);
    const others = [];
    for (let i = 0; i < 3; i++) {
      const other = await house.visit();
      await signIn(other.page, account);
      others.push(other);
    }
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await page.clock.install();
    await page.goto('/');
    await page.getByLabel('Email').fill(account.email);
    await page.getByLabel('Password', { exact: true }).fill(account.password);
    await page.keyboard.press('Enter');
    await page.getByText('Other browsers have the places').waitFor();
    await page.getByLabel('Add a task').fill('Buy milk today');
    await page.keyboard.press('Enter');
    await page.locator('.row', { hasText: 'Buy milk' }).waitFor();
    await account.call('POST', '/tasks', { title: 'Not heard', due_date: new Date().toISOString().slice(0, 10) });
    await page.clock.runFor(61_000);
    await page.locator('.row', { hasText: 'Not heard' }).waitFor();
    await others[0]?.page.locator('.row', { hasText: 'Buy milk' }).waitFor();
    await page.getByRole('link', { name: 'Inbox' }).click();
    await page.getByText('Nothing here yet.').waitFor();
    const soon = { due_date: new Date(Date.now() + 61_500).toISOString(), reminder_offset: '1 minute' };
    await account.call('POST', '/tasks', { title: 'Bake', ...soon });
    await eventually(async () => (await account.call<object[]>('GET', '/notifications?unread=true')).length > 0);
    await page.clock.runFor(61_000);
    await page.getByRole('button', { name: 'Mark read: Bake' }).press('Enter');
    await page.getByRole('button', { name: 'Mark read: Bake' }).waitFor({ state: 'detached' });
    expect(await page.locator(':focus').innerText()).toBe('Bake');
    for (const other of others) await other.context.close();
  });

  test('while there is no stream the list is read each minute', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await page.clock.install();
    await signIn(page, account);
    await house.stack.kill('notification-service');
    await page.getByText('Live', { exact: true }).waitFor({ state: 'detached' });
    await account.call('POST', '/tasks', { title: 'Not heard', due_date: new Date().toISOString().slice(0, 10) });
    await page.clock.runFor(61_000);
    await page.locator('.row', { hasText: 'Not heard' }).waitFor();
    await house.stack.start('notification-service');
  });

  test('services that are killed and come back leave nothing missing and nothing twice', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    for (const name of ['chat-api', 'notification-service']) await house.stack.kill(name);
    await page.getByLabel('Add a task').fill('Written meanwhile today');
    await page.keyboard.press('Enter');
    await page.getByTitle('Not answered by the server yet').waitFor();
    await page.getByText('The server is busy or restarting. 1 change waits in this tab.').waitFor();
    for (const name of ['chat-api', 'notification-service']) await house.stack.start(name);
    await page.getByTitle('Not answered by the server yet').waitFor({ state: 'detached' });
    await page.getByText('Live', { exact: true }).waitFor();
    await account.call('POST', '/tasks', { title: 'Afterwards', due_date: new Date().toISOString().slice(0, 10) });
    await page.locator('.row', { hasText: 'Afterwards' }).waitFor();
    expect(await page.locator('.row').count()).toBe(2);
  });

  test('while nobody answers a change waits in the tab and says so; then it is sent, once', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    await signIn(visit.page, account);
    await house.goAway();
    await visit.page.getByLabel('Add a task').fill('Written in a tunnel today');
    await visit.page.keyboard.press('Enter');
    await visit.page.getByText('1 change waits in this tab.').waitFor();
    await visit.page.getByTitle('Not answered by the server yet').waitFor();
    await account.call('POST', '/tasks', { title: 'Meanwhile', due_date: new Date().toISOString().slice(0, 10) });
    house.comeBack();
    await visit.page.getByText('Live', { exact: true }).waitFor();
    await visit.page.locator('.row', { hasText: 'Meanwhile' }).waitFor();
    await visit.page.getByTitle('Not answered by the server yet').waitFor({ state: 'detached' });
    const titles = (await account.call<{ title: string }[]>('GET', '/tasks')).map(({ title }) => title);
    expect(titles.sort()).toEqual(['Meanwhile', 'Written in a tunnel']);
  });

  test('a session that ended asks to sign in over the page, and nothing typed is lost', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ inTrouble: true });
    const { page } = visit;
    await signIn(page, account);
    await page.getByLabel('Add a task').fill('Half a thought');
    const sessions = await account.call<{ id: string; current: boolean }[]>('GET', '/auth/sessions');
    for (const { id, current } of sessions) if (!current) await account.call('DELETE', `/auth/sessions/${id}`);
    const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    expect(await dialog.isVisible()).toBe(true);
    expect(await dialog.getByLabel('Email').inputValue()).toBe(account.email);
    await dialog.getByLabel('Password', { exact: true }).fill(account.password);
    await page.keyboard.press('Enter');
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.getByLabel('Add a task').inputValue()).toBe('Half a thought');
  });

  test('signed out in one tab is signed out in all, and what was there is gone', async () => {
    const account = await newAccount(house.stack);
    await account.call('POST', '/tasks', { title: 'A secret', due_date: '2026-01-01' });
    await using visit = await house.visit({ inTrouble: true }); // what the other tab reads just then is refused
    await signIn(visit.page, account);
    const other = await visit.tab();
    await other.locator('.row', { hasText: 'A secret' }).waitFor();
    await visit.page.getByRole('button', { name: 'Sign out' }).click();
    for (const page of [visit.page, other]) {
      await page.getByRole('heading', { name: 'Sign in to TaskFlow' }).waitFor();
      expect(await page.getByText('A secret').count()).toBe(0);
      expect(await page.evaluate(() => localStorage.length)).toBe(0);
    }
  });
});
