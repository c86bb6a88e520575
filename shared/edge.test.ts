import { afterAll, describe, expect, test } from 'bun:test';
import { said } from '../test/support/raw.ts';
import { edge } from './edge.ts';
import { createLog } from './log.ts';

const lines: Record<string, unknown>[] = [];
const log = createLog('test', { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) });

const app = edge({ log })
  .get('/bug', () => {
    throw new TypeError('secret detail');
  })
  .listen({ hostname: '127.0.0.1', port: 0 });
afterAll(() => app.stop(true));
const port = app.server?.port ?? 0;

describe('a handler that waits for a database that says nothing', () => {
  test('is answered by 503', async () => {
    const hanging = edge({ log, answerMs: 20 }).get('/hangs', () => new Promise(() => {}));
    const id = crypto.randomUUID();
    const response = await hanging.handle(
      new Request('http://localhost/hangs', { headers: { 'x-correlation-id': id } }),
    );
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.get('x-correlation-id')).toBe(id);
    expect(await response.json()).toMatchObject({ error: 'Service unavailable', code: 'DATABASE_UNAVAILABLE' });
  });
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
