import { expect, test } from 'bun:test';
import { eventually } from '../test/support/wait.ts';
import { ApiError } from './errors.ts';
import { createLog } from './log.ts';
import { createLongAnswers } from './long-answer.ts';

const PART = 'x'.repeat(256 * 1024);

/** A server of endless answers, and how many of their pages were read. */
function serve() {
  const session = { hasEnded: false };
  const longAnswers = createLongAnswers({
    perUser: 1,
    unreadSeconds: 1,
    authenticator: {
      async authenticate() {
        if (session.hasEnded) throw new ApiError(401, 'INVALID_TOKEN', 'This session has ended.');
      },
    },
    log: createLog('test', { write: () => {} }),
  });
  const read = { pages: 0, isLeft: false };
  async function* pages(): AsyncGenerator<string[], undefined> {
    try {
      for (;;) {
        read.pages += 1;
        yield [PART];
      }
    } finally {
      read.isLeft = true;
    }
  }
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 120,
    development: false, // or Bun prints what broke an answer off
    fetch: (request, server) => longAnswers.ndjson({ request, server, userId: 'ada' }, pages()),
  });
  return { port: server.port ?? 0, longAnswers, session, read, stop: () => server.stop(true) };
}

test('an answer that nobody reads is read no further than buffers go, and ended', async () => {
  const { port, longAnswers, read, stop } = serve();
  const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } });
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(async () => longAnswers.open() === 1);
  await eventually(() => longAnswers.open() === 0, 15_000);
  expect(read.isLeft).toBe(true);
  expect(read.pages).toBeLessThan(64);
  socket.terminate();
  await stop();
});

test('a caller who leaves ends it', async () => {
  const { port, longAnswers, read, stop } = serve();
  const reader = (await fetch(`http://127.0.0.1:${port}`)).body?.getReader();
  await reader?.read();
  expect(longAnswers.open()).toBe(1);
  await reader?.cancel();
  await eventually(async () => longAnswers.open() === 0 && read.isLeft);
  await stop();
});

test('the end of the session ends it, and the caller cannot take the part for the whole', async () => {
  const { port, longAnswers, session, read, stop } = serve();
  const reader = (await fetch(`http://127.0.0.1:${port}`)).body?.getReader();
  await reader?.read();
  session.hasEnded = true;
  const { pages } = read;
  const rest = async () => {
    while (!(await reader?.read())?.done);
  };
  await expect(rest()).rejects.toThrow();
  expect(read.pages).toBeLessThanOrEqual(pages + 1); // which was being read
  await eventually(async () => longAnswers.open() === 0 && read.isLeft);
  await stop();
});

test('of all that a user reads at once one part is made at a time, and those of others beside it', async () => {
  const longAnswers = createLongAnswers({
    perUser: 4,
    authenticator: { authenticate: async () => {} },
    log: createLog('test', { write: () => {} }),
  });
  const [making, most] = [
    { ada: 0, bob: 0 },
    { ofAda: 0, ofAll: 0 },
  ];
  async function* pages(of: 'ada' | 'bob'): AsyncGenerator<string[], undefined> {
    for (let page = 0; page < 5; page++) {
      making[of] += 1;
      most.ofAda = Math.max(most.ofAda, making.ada);
      most.ofAll = Math.max(most.ofAll, making.ada + making.bob);
      await new Promise((resolve) => setImmediate(resolve));
      making[of] -= 1;
      yield [`${page}`];
    }
  }
  const read = async (of: 'ada' | 'bob') => {
    const caller = { request: new Request('http://localhost'), server: null, userId: of };
    return (await longAnswers.ndjson(caller, pages(of))).text();
  };
  const answers: string[] = await Promise.all([read('ada'), read('ada'), read('ada'), read('bob')]);
  expect(answers).toEqual(Array<string>(4).fill('"0"\n"1"\n"2"\n"3"\n"4"\n'));
  expect(most).toEqual({ ofAda: 1, ofAll: 2 });
});
