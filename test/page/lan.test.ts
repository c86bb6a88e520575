import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { perApp } from '../../services/local/machine/apps.ts';
import { LAN, type House, newAccount, openHouse, shoot, signIn } from './visit.ts';

// As `up --host 0.0.0.0` serves a phone: by http at an address that is not the loopback.

let house: House;
beforeAll(async () => void (house = await openHouse({ settings: perApp(() => ({ PUBLIC_URL: `http://${LAN}` })) })));
afterAll(() => house?.close());

describe('without https', () => {
  test('the browser holds back what wants it, and the main job works', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ baseURL: house.lanUrl, viewport: { width: 390, height: 844 } });
    const { page } = visit;
    await signIn(page, account);
    const held = `[isSecureContext, 'randomUUID' in crypto, 'subtle' in crypto, 'locks' in navigator, 'serviceWorker' in navigator, 'clipboard' in navigator]`;
    expect(await page.evaluate<boolean[]>(held)).toEqual(Array(6).fill(false));
    await page.getByLabel('Add a task').fill('Buy milk today');
    await page.keyboard.press('Enter');
    const row = page.locator('.row', { hasText: 'Buy milk' });
    await row.waitFor();
    const other = await visit.tab();
    await other.locator('.row', { hasText: 'Buy milk' }).waitFor();
    await page.getByTitle('Not answered by the server yet').waitFor({ state: 'detached' });
    await page.getByLabel('Complete: Buy milk').click();
    await other.locator('.row', { hasText: 'Buy milk' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await other.locator('.row', { hasText: 'Buy milk' }).waitFor();
    await shoot(page, 'lan-390-light');
  });

  test('settings say what is missing, and offer no button that would do nothing', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ baseURL: house.lanUrl });
    const { page } = visit;
    await signIn(page, account);
    await page.goto('/settings');
    await page.getByText('they need https').waitFor();
    await page.getByLabel('Name of the program').fill('backup');
    await page.getByRole('button', { name: 'Make a token' }).click();
    await page.locator('.made code').waitFor();
    expect(await page.getByRole('button', { name: 'Copy' }).count()).toBe(0);
  });

  test('a session that has run out is refreshed without a lock', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ baseURL: house.lanUrl, inTrouble: true });
    const { page, context } = visit;
    await signIn(page, account);
    await context.clearCookies({ name: 'taskflow_session' });
    await page.reload();
    await page.getByText('Live', { exact: true }).waitFor();
    expect((await context.cookies()).map(({ name }) => name)).toContain('taskflow_session');
  });
});
