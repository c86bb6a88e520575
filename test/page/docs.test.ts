import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type House, newAccount, openHouse, shoot, signIn, type Visit } from './visit.ts';

let house: House;
beforeAll(async () => void (house = await openHouse()));
afterAll(() => house?.close());

/** The library is ten times the page. */
const PATIENCE_MS = 60_000;
const desk = { width: 1280, height: 800 };

async function open(page: Visit['page'], path: string): Promise<void> {
  await page.goto(path, { waitUntil: 'commit', timeout: PATIENCE_MS });
  await page.locator('.opblock').first().waitFor({ timeout: PATIENCE_MS });
}

describe('the page of the API', () => {
  test('shows the document that is chosen, and asks no other host for anything', async () => {
    await using visit = await house.visit({ viewport: desk });
    const { page } = visit;
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await open(page, '/docs');
    await page.locator('nav').getByRole('link', { name: 'Audit trail' }).click();
    await page.locator('[data-path="/api/v1/audit/events"]').waitFor({ timeout: PATIENCE_MS });
    expect(await page.locator('nav [aria-current]').allInnerTexts()).toEqual(['Audit trail']);
    expect(asked.filter((url) => !url.startsWith('data:') && !url.startsWith(house.url))).toEqual([]);
  });

  test('tries a call as who is signed in in this browser, and changes what he may', async () => {
    const account = await newAccount(house.stack);
    await using visit = await house.visit({ viewport: desk });
    const { page } = visit;
    await signIn(page, account);
    await open(page, '/docs');
    async function execute(method: string, path: string, body?: object) {
      const call = page.locator(`.opblock-${method}`, { has: page.locator(`[data-path="${path}"]`) });
      await call.locator('.opblock-summary-control').click();
      await call.getByRole('button', { name: 'Try it out' }).click();
      if (body) await call.locator('textarea').fill(JSON.stringify(body));
      await call.getByRole('button', { name: 'Execute' }).click();
      const answer = call.locator('.live-responses-table tbody tr').first();
      await answer.waitFor({ timeout: PATIENCE_MS });
      return answer.innerText();
    }
    const said = await execute('get', '/api/v1/auth/me');
    expect(said).toStartWith('200');
    expect(said).toContain(account.email);
    await shoot(page, 'docs-1280-light');
    expect(await execute('post', '/api/v1/tasks', { title: 'From the page of the API' })).toStartWith('201');
    const titles = (await account.call<{ title: string }[]>('GET', '/tasks')).map(({ title }) => title);
    expect(titles).toEqual(['From the page of the API']);
  });

  test('has room on a phone, and is dark where the device is', async () => {
    await using visit = await house.visit({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    const { page } = visit;
    await open(page, '/docs?of=reminders');
    await shoot(page, 'docs-390-dark');
    expect(await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    expect(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')).toBe('rgb(28, 32, 34)');
  });
});
