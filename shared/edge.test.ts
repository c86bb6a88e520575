import { afterAll, describe, expect, test } from 'bun:test';
import { said } from '../test/support/raw.ts';
import { eventually } from '../test/support/wait.ts';
import { MAX_BODY_BYTES } from './intake.ts';
import { edge } from './edge.ts';
import { createLog } from './log.ts';

const lines: Record<string, unknown>[] = [];
const log = createLog('test', {
  level: 'debug',
  write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
});

const app = edge({ log, admit: async () => ({ maxBytes: MAX_BODY_BYTES, by: 'ada' }) })
  .get('/bug', () => {
    throw new TypeError('secret detail');
  })
  .post('/body', ({ body }) => body as object)
  .listen({ hostname: '127.0.0.1', port: 0 });
afterAll(() => app.stop(true));
const port = app.server?.port ?? 0;

describe('a handler that waits for a database that says nothing', () => {
  let seen = '';
  const hanging = edge({ log, answerMs: 20, corsOrigins: ['https://app.example'] }).get(
    '/hangs',
    ({ correlationId, set }) => {
      seen = correlationId;
      set.headers.etag = '"of an answer that never came"';
      return new Promise(() => {});
    },
  );
  const call = (headers: Record<string, string> = {}) =>
    hanging.handle(new Request('http://localhost/hangs', { headers }));

  test('is answered by 503, and when to come again', async () => {
    const response = await call();
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.get('etag')).toBeNull();
    expect(await response.json()).toMatchObject({ error: 'Service unavailable', code: 'DATABASE_UNAVAILABLE' });
  });

  test('carries what every refusal does: the correlation id of its work, and CORS', async () => {
    const id = crypto.randomUUID();
    expect((await call({ 'x-correlation-id': id })).headers.get('x-correlation-id')).toBe(id);
    const { headers } = await call({ origin: 'https://app.example' });
    expect(headers.get('x-correlation-id')).toBe(seen);
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(headers.get('access-control-expose-headers')).toContain('Retry-After');
    expect(headers.get('vary')).toBe('Origin');
  });
});

test('what a handler answers too late is given up, with what it holds for a reader', async () => {
  const [gate, answer] = [Promise.withResolvers<void>(), { isGivenUp: false }];
  const slow = edge({ log, answerMs: 20 }).get('/', async () => {
    await gate.promise;
    const cancel = () => void (answer.isGivenUp = true);
    return new Response(new ReadableStream({ cancel }, { highWaterMark: 0 }));
  });
  expect((await slow.handle(new Request('http://localhost/'))).status).toBe(503);
  gate.resolve();
  await eventually(() => answer.isGivenUp);
});

describe('a Host header', () => {
  test.each(['a@b', 'a/b?'])('that is none is refused without showing our source: "%s"', async (host) => {
    expect(app.server?.development).toBe(false);
    const answer = await said(port, `GET /bug HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer).toStartWith('HTTP/1.1 400 ');
    expect(answer.toLowerCase()).toContain('x-correlation-id: ');
    expect(answer).toContain('{"error":"Bad request","code":"INVALID_REQUEST"');
  });
});

describe('a body that does not come', () => {
  const waiting = edge({ log, admit: async () => ({ maxBytes: MAX_BODY_BYTES, by: 'ada' }), bodyMs: 20 })
    .post('/body', ({ body }) => body as object)
    .post('/events/created', () => ({ status: 'DROP' }), { parse: 'json' })
    .listen({ hostname: '127.0.0.1', port: 0 });
  afterAll(() => waiting.stop(true));

  // `said` waits for the server to close the connection.
  test.each([
    ['/body', 'Content-Length: 100\r\n\r\n{"title":"'],
    ['/body', 'Transfer-Encoding: chunked\r\n\r\na\r\n{"title":"\r\n'],
    ['/events/created', 'Content-Length: 100\r\n\r\n{"title":"'],
  ])('is 408 and the end of the connection on %s: %j', async (path, rest) => {
    const request = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${rest}`;
    const answer = await said(waiting.server?.port ?? 0, request);
    expect(answer).toMatch(/^HTTP\/1.1 408 [^]*\{"error":"Request timeout","code":"REQUEST_TIMEOUT"/);
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(answer.toLowerCase()).toContain('x-correlation-id: ');
  });
});

describe('a body that its caller breaks off', () => {
  test.each([
    ['of a known length', 'Content-Length: 100\r\n\r\n{"title":"'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\na\r\n{"title":"\r\n'],
  ])('%s is 499 in the log at level debug, once, and no error', async (_name, rest) => {
    lines.length = 0;
    const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data: () => {} } });
    socket.end(`POST /body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${rest}`);
    await eventually(() => lines.length > 0, { what: 'a line' });
    await fetch(`http://127.0.0.1:${port}/nowhere`); // a second line would be there by now
    expect(lines).toEqual([
      expect.objectContaining({ level: 'debug', message: 'body broken off', status: 499, path: '/body' }),
    ]);
  });
});
