import type { Page } from 'playwright-core';
import { buildSite } from '../../services/web/build.ts';
import { FIRST_KIB, firstOf, packedBytes } from '../../services/web/fixture.ts';
import { browsersOrExit } from '../page/browsers.ts';
import { type Account, type House, newAccount, openHouse, signIn } from '../page/visit.ts';
import { eventually } from '../support/wait.ts';
import { median, ms, percentile, print } from './figures.ts';

const TASKS = 5_000;
const BATCH = 100;
const FRAMES = 240;
const TOGGLES = 30;
const ROUNDS = 50;

/** What the page weighs, how it carries many tasks, and how soon a change is seen in another browser. */
export async function bench(): Promise<void> {
  await browsersOrExit(console.log, ['chromium']);
  console.log(`\nthe page, with ${TASKS} tasks in Chromium`);
  await weigh();
  const house = await openHouse();
  try {
    const account = await newAccount(house.stack);
    for (let i = 0; i < TASKS; i += BATCH) {
      const tasks = Array.from({ length: BATCH }, (_, j) => taskOf(i + j));
      await account.call('POST', '/tasks/batch', { tasks });
    }
    await house.stack.settled(120_000);
    await carry(house, account);
  } finally {
    await house.close();
  }
}

const taskOf = (i: number) => ({
  title: `Task ${i} of many, with a title as people write them`,
  ...(i % 2 === 0 && { due_date: new Date(Date.now() + (i - 500) * 600_000).toISOString() }),
  ...(i % 7 === 0 && { priority: 'high' }),
});

async function weigh(): Promise<void> {
  const files = await buildSite();
  const first = firstOf(files);
  for (const [extension, limit] of Object.entries(FIRST_KIB)) {
    const kib = packedBytes(files, first, extension) / 1024;
    print(`${extension} before the first list, in gzip`, `${kib.toFixed(1)} KiB`, `at most ${limit}`);
  }
}

async function carry(house: House, account: Account): Promise<void> {
  await using visit = await house.visit({ viewport: { width: 1280, height: 800 } });
  await using other = await house.visit();
  const { page } = visit;
  await signIn(page, account);
  await page.goto('/all');
  await page.locator('.row').first().waitFor();
  const paint = await page.evaluate<number>(`performance.getEntriesByName('first-contentful-paint')[0].startTime`);
  print('first paint, warm cache', ms(paint), 'at most 300 ms');
  print('scroll, a frame, p95', ms(percentile(await scroll(page), 0.95)), 'at most 20 ms');
  print('own click to the changed list, median', ms(median(await toggle(page))), 'at most 50 ms');
  const client = await visit.context.newCDPSession(page);
  await client.send('HeapProfiler.collectGarbage');
  const { usedSize } = await client.send('Runtime.getHeapUsage');
  print('heap', `${(usedSize / 2 ** 20).toFixed(0)} MiB`, 'at most 60');
  await signIn(other.page, account);
  const delays = await changesSeen(other.page, account);
  print(
    'a change in another browser, p95',
    ms(percentile(delays, 0.95)),
    `at most 100 ms, median ${ms(median(delays))}`,
  );
}

const scroll = (page: Page): Promise<number[]> =>
  page.evaluate(`new Promise((resolve) => {
    const frames = [];
    let last = performance.now();
    const step = (now) => {
      frames.push(now - last);
      last = now;
      scrollBy(0, 300);
      if (frames.length < ${FRAMES}) requestAnimationFrame(step); else resolve(frames);
    };
    requestAnimationFrame(step);
  })`);

/** From the click to the frame after the row has gone. */
const toggle = (page: Page): Promise<number[]> =>
  page.evaluate(`(async () => {
    const times = [];
    scrollTo(0, 0);
    for (let i = 0; i < ${TOGGLES}; i++) {
      const row = document.querySelector('.row');
      const from = performance.now();
      row.querySelector('input').click();
      while (row.isConnected) await new Promise(requestAnimationFrame);
      times.push(performance.now() - from);
    }
    return times;
  })()`);

async function changesSeen(page: Page, account: Account): Promise<number[]> {
  await page.evaluate(`globalThis.seen = new Map(); new MutationObserver(() => {
    for (const row of document.querySelectorAll('.row-title'))
      if (row.textContent.startsWith('Seen ') && !seen.has(row.textContent)) seen.set(row.textContent, Date.now());
  }).observe(document.body, { childList: true, subtree: true })`);
  const delays: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const title = `Seen ${i}`;
    const from = Date.now();
    await account.call('POST', '/tasks', { title, due_date: new Date(from + 60_000).toISOString() });
    delays.push((await eventually(() => page.evaluate<number>(`seen.get('${title}') ?? 0`))) - from);
  }
  return delays;
}
