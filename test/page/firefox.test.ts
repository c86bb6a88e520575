import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { eventually } from '../support/wait.ts';
import { pathOf } from './browsers.ts';
import { type Account, type House, newAccount, openHouse } from './visit.ts';

// What everybody does, in the other engine. A stock Firefox is driven by WebDriver BiDi, which Playwright does not speak.

let house: House;
let firefox: Browser;
beforeAll(async () => {
  house = await openHouse();
  firefox = await puppeteer.launch({
    browser: 'firefox',
    executablePath: pathOf('firefox') ?? '',
    headless: true,
    timeout: 60_000,
  });
}, 120_000);
afterAll(async () => {
  await firefox?.close();
  await house?.close();
}, 60_000);

const today = () => new Date().toISOString().slice(0, 10);

/** A browser with nothing kept, at the page; `shown` is what its console said of errors. */
async function open() {
  const context = await firefox.createBrowserContext();
  const shown: string[] = [];
  async function tab(path = '/'): Promise<Page> {
    const page = await context.newPage();
    page.on('pageerror', (error) => shown.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && shown.push(message.text()));
    await page.goto(house.url + path);
    return page;
  }
  return { tab, shown, [Symbol.asyncDispose]: () => context.close() };
}

/** Waits until the page has it: as text of what is shown, and nothing where `isGone`. */
const see = (page: Page, selector: string, text = '', { isGone = false } = {}) =>
  eventually(
    async () => {
      const texts = await page.$$eval(selector, (found) => found.map((one) => one.textContent ?? ''));
      return texts.some((one) => one.includes(text)) !== isGone;
    },
    { ms: 30_000, everyMs: 50, what: `${selector} ${text}${isGone ? ' to be gone' : ''}` },
  );

async function type(page: Page, selector: string, text: string): Promise<void> {
  await see(page, selector);
  await page.focus(selector);
  await page.keyboard.type(text);
}

async function signIn(page: Page, { email, password }: Account): Promise<void> {
  await type(page, 'input[name=email]', email);
  await type(page, 'input[name=password]', password);
  await page.keyboard.press('Enter');
  await see(page, '.state', 'Live');
}

/** Until then a task that was just made has another row. */
const saved = (page: Page) => see(page, '[title="Not answered by the server yet"]', '', { isGone: true });

describe('in Firefox', () => {
  test('a person signs in, adds, completes and takes back; a reminder is understood with its dates', async () => {
    const account = await newAccount(house.stack);
    await using visit = await open();
    const page = await visit.tab();
    await signIn(page, account);
    await type(page, '.quick-add input', 'Rent every month on the 1st 9:00 remind 1 day');
    await see(page, '.chips', 'reminds 1 day before');
    await see(page, '.preview li');
    await page.keyboard.press('Enter');
    await see(page, '.bars', 'Added: Rent');
    await page.keyboard.type('Buy milk today');
    await page.keyboard.press('Enter');
    await see(page, '.row', 'Buy milk');
    await saved(page);
    await page.click('input[aria-label="Complete: Buy milk"]');
    await see(page, '.row', 'Buy milk', { isGone: true });
    await see(page, '.bars', 'Done: Buy milk');
    await page.keyboard.press('Escape'); // leaves the line
    await page.click('.bars button');
    await see(page, '.row', 'Buy milk');
    expect(visit.shown).toEqual([]);
  }, 120_000);

  test('a change elsewhere is seen in all tabs; after an outage nothing is missing', async () => {
    const account = await newAccount(house.stack);
    await using visit = await open();
    const page = await visit.tab();
    await signIn(page, account);
    const other = await visit.tab('/all');
    await see(other, '.state', 'Live');
    await account.call('POST', '/tasks', { title: 'Heard', due_date: today() });
    for (const tab of [page, other]) await see(tab, '.row', 'Heard');
    await house.goAway();
    await account.call('POST', '/tasks', { title: 'Missed', due_date: today() });
    await type(page, '.quick-add input', 'Written meanwhile today');
    await page.keyboard.press('Enter');
    await see(page, '.state', '1 change waits in this tab.');
    house.comeBack();
    for (const tab of [page, other]) {
      await see(tab, '.state', 'Live');
      for (const title of ['Heard', 'Missed', 'Written meanwhile']) await see(tab, '.row', title);
      await saved(tab);
      expect(await tab.$$eval('.row', (rows) => rows.length)).toBe(3);
    }
    const kept = await account.call<{ title: string }[]>('GET', '/tasks');
    expect(kept.map(({ title }) => title).sort()).toEqual(['Heard', 'Missed', 'Written meanwhile']);
  }, 120_000);
});
