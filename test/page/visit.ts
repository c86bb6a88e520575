import { expect } from 'bun:test';
import axe from 'axe-core';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { freePort } from '../../services/local/machine/port.ts';
import { startGateway } from '../../services/local/gateway/gateway.ts';
import { buildSite } from '../../services/web/build.ts';
import { createSite } from '../../services/web/site.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { pathOf } from './browsers.ts';

export type House = Awaited<ReturnType<typeof openHouse>>;
export type Visit = Awaited<ReturnType<House['visit']>>;

/** Of a network that is documentation's own (RFC 5737); the browser is told that it is here. */
export const LAN = '203.0.113.7';
/** Of a device, and of an account. */
export const ZONE = 'Europe/Berlin';
const PASSWORD = 'Sunny-Day-42';
/** Long for a loopback, short for whoever waits for a test that fails. */
const PATIENCE_MS = 10_000;

/** TaskFlow as `up` serves it, and a browser to see it with. Close it by `close`. */
export async function openHouse(options: Parameters<typeof startStack>[0] = {}) {
  await using opened = new AsyncDisposableStack();
  const stack = await startStack(options);
  opened.defer(stack.stop);
  const built = createSite(await buildSite());
  const start = (port: number) =>
    startGateway({
      port,
      ports: stack.ports,
      publicUrl: `http://${LAN}`,
      site: async () => built,
      demo: null,
      tour: async () => '',
    });
  const port = freePort(); // its own also while it is away
  let gateway = start(port);
  opened.defer(() => gateway.stop(true));
  const browser = await chromium.launch({
    executablePath: pathOf('chromium') ?? '',
    args: ['--no-sandbox', '--disable-dev-shm-usage', `--host-resolver-rules=MAP ${LAN} 127.0.0.1`],
  });
  opened.defer(() => browser.close());
  const url = `http://localhost:${port}`;
  const closing = opened.move();

  /** What consoles have shown: errors, and what the policy of the page refused. */
  const shown: string[] = [];

  /** A browser of its own, with nothing kept. `inTrouble`: its console may show what was away or refused. */
  async function visit({ inTrouble = false, ...given }: BrowserContextOptions & { inTrouble?: boolean } = {}) {
    // Nothing moves: a bar that is still coming in has colours of its own.
    const context = await browser.newContext({
      timezoneId: ZONE,
      baseURL: url,
      reducedMotion: 'reduce',
      ...given,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    context.on('weberror', (error) => shown.push(error.error().stack ?? String(error.error())));
    context.on('console', (message) => {
      // What a page of http://localhost may ask for is refused to any other without https, and harms nothing.
      const isOfHttp = message.text().startsWith('The Cross-Origin-Opener-Policy header has been ignored');
      if (message.type() === 'error' && !inTrouble && !isOfHttp)
        shown.push(`${message.text()} ${message.location().url}`);
    });
    const page = await context.newPage();
    return {
      context,
      page,
      /** Another tab of the same browser. */
      tab: async (path = '/') => {
        const tab = await context.newPage();
        await tab.goto(path);
        return tab;
      },
      [Symbol.asyncDispose]: () => context.close(),
    };
  }

  return {
    stack,
    url,
    /** By which a phone in the network would ask for it: without https, so that the browser holds much back. */
    lanUrl: `http://${LAN}:${port}`,
    visit,
    /** The way to all services is gone, or there again. */
    goAway: () => gateway.stop(true),
    comeBack: () => void (gateway = start(port)),
    /** @throws when a console has shown an error */
    async close(): Promise<void> {
      await closing.disposeAsync();
      if (shown.length > 0) throw new Error(`the console showed:\n${shown.join('\n')}`);
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** A new account, as whoever invites people would have made it. */
export async function newAccount(stack: RunningStack, zone = ZONE) {
  const email = `anna.${crypto.randomUUID().slice(0, 8)}@example.com`;
  const response = await fetch(stack.url('/api/v1/auth/signup'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: PASSWORD, timezone: zone }),
  });
  const { token } = (await response.json()) as { token: string };
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const [place = '', query = ''] = path.split('?');
    const answer = await fetch(`${stack.url(`/api/v1${place}`)}?${query}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.status === 204 ? (null as T) : ((await answer.json()) as T);
  }
  return { email, password: PASSWORD, headers, call };
}

export type Account = Awaited<ReturnType<typeof newAccount>>;

/** Through the door, as a person goes; the list has been read when it answers. */
export async function signIn(page: Page, { email, password }: Pick<Account, 'email' | 'password'>): Promise<void> {
  await page.goto('/');
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByText('Reading your tasks').waitFor({ state: 'detached' });
}

/** By one click, which leads to the door. */
export async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.getByRole('heading', { name: 'Sign in to TaskFlow' }).waitFor();
}

/** What axe finds wrong, by rule and place (WCAG 2.2 A and AA, and best practice). */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

/** For people to look at: `TASKFLOW_SHOTS` names the folder. */
export async function shoot(page: Page, name: string): Promise<void> {
  const { TASKFLOW_SHOTS } = process.env;
  if (TASKFLOW_SHOTS) await page.screenshot({ path: `${TASKFLOW_SHOTS}/${name}.png` });
}

export const phone = { width: 390, height: 844 };
export const tablet = { width: 768, height: 1024 };
export const desk = { width: 1280, height: 800 };
export const kinds = [phone, tablet, desk].flatMap((viewport) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ viewport, colorScheme, hasTouch: viewport === phone })),
);

/** Each screen as it is looked at: by axe, by people, and by whoever has little room. */
export async function look({ page }: Pick<Visit, 'page'>, name: string): Promise<void> {
  await shoot(page, name);
  expect(await violations(page)).toEqual([]);
  expect(await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
}
