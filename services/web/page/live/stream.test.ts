import { afterEach, beforeEach, expect, jest, test } from 'bun:test';
import type { Heard } from './protocol.ts';
import { openStream } from './stream.ts';

const { fetch: realFetch, EventSource: RealSource } = globalThis as { fetch: typeof fetch; EventSource?: unknown };

/** A browser's, which only ends when it is told to. */
class Source extends EventTarget {
  static readonly CLOSED = 2;
  static all: Source[] = [];
  readyState = 0;
  constructor(readonly url: string) {
    super();
    Source.all.push(this);
  }
  close = () => void (this.readyState = Source.CLOSED);
  refuse(): void {
    this.close();
    this.dispatchEvent(new Event('error'));
  }
}

let answer = Promise.withResolvers<Response>();
const heard: Heard[] = [];
const open = () => openStream((one) => heard.push(one), 'me');
const turns = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

beforeEach(() => {
  jest.useFakeTimers();
  heard.length = Source.all.length = 0;
  answer = Promise.withResolvers();
  Object.assign(globalThis, { EventSource: Source, fetch: () => answer.promise });
});
afterEach(() => {
  jest.useRealTimers();
  Object.assign(globalThis, { EventSource: RealSource, fetch: realFetch });
});

test('a stream that was refused is opened once it is known why, and not before', async () => {
  const stream = open();
  Source.all[0]?.refuse();
  jest.advanceTimersByTime(16_000);
  expect(Source.all).toHaveLength(1);
  answer.resolve(new Response(null, { status: 429 }));
  await turns();
  expect(heard).toEqual([{ type: 'state', state: { is: 'crowded' } }]);
  jest.advanceTimersByTime(59_000);
  expect(Source.all).toHaveLength(1);
  jest.advanceTimersByTime(1_000);
  expect(Source.all).toHaveLength(2);
  stream.close();
});

test.each([401, 429, 503])('a stream that is closed says nothing more, also when it is answered %i', async (status) => {
  const stream = open();
  Source.all[0]?.refuse();
  stream.close();
  answer.resolve(new Response(null, { status }));
  await turns();
  jest.advanceTimersByTime(120_000);
  expect([heard, Source.all.length]).toEqual([[], 1]);
});
