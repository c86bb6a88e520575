import { afterAll, expect, test } from 'bun:test';
import type { Person } from '../support/person.ts';
import { eventually } from '../support/wait.ts';
import { startLoad } from './load.ts';

const service = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  idleTimeout: 0,
  fetch: ({ url }) => (url.endsWith('/hangs') ? new Promise<never>(() => {}) : new Response(null, { status: 503 })),
});
afterAll(() => service.stop(true));

const nobodyListens = 'http://127.0.0.1:1/';
test.each([
  ['a refusal by its status', new URL('/refuses', service.url).href, 'POST 503'],
  ['a connection by its code', nobodyListens, 'POST ECONNREFUSED'],
  ['a timeout by its name', new URL('/hangs', service.url).href, 'POST TimeoutError: The operation timed out.'],
])('tells %s', async (_what, url, told) => {
  const send = (_path: string, init: RequestInit) => fetch(url, { ...init, signal: AbortSignal.timeout(50) });
  const people = [{ headers: {} } as Person];
  const load = startLoad({ rate: 100, people, chat: { send, away() {}, back() {} } });
  await eventually(() => load.unanswered.length > 0);
  await load.stop();
  expect(new Set(load.unanswered)).toEqual(new Set([told]));
});
