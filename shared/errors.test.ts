import { describe, expect, test } from 'bun:test';
import { t } from 'elysia';
import { correlation } from './correlation.ts';
import { DeadlineError } from './db.ts';
import { ApiError, errorMapping } from './errors.ts';
import { createLog } from './log.ts';

const lines: Record<string, unknown>[] = [];
const log = createLog('test', { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) });

const app = errorMapping(log, { invalid: (request) => (request.method === 'POST' ? 'POST_ERROR' : 'OTHER') })
  .use(correlation())
  .get('/expected', () => {
    throw new ApiError(412, 'VERSION_CONFLICT', 'It changed.', { headers: { 'x-more': '1' } });
  })
  .get('/late', () => {
    throw new Error('wrapped', { cause: new DeadlineError('no answer') });
  })
  .get('/bug', () => {
    throw new TypeError('secret detail');
  })
  .get('/answer', () => ({ title: 5 }) as never, { response: { 200: t.Object({ title: t.String() }) } })
  .get('/query', () => 'ok', {
    query: t.Object({ limit: t.Numeric(), after: t.Optional(t.Integer({ minimum: 1 })) }),
  })
  .post('/body', () => 'ok', { body: t.Object({ list: t.Array(t.Object({ title: t.String() })) }) });

const call = async (path: string, init: RequestInit = {}) => {
  const response = await app.handle(new Request(`http://localhost${path}`, init));
  return {
    status: response.status,
    headers: response.headers,
    json: (await response.json()) as Record<string, unknown>,
  };
};

describe('errorMapping', () => {
  test('answers an expected failure with its code, brief and headers', async () => {
    const { status, headers, json } = await call('/expected');
    expect(status).toBe(412);
    expect(json).toEqual({ error: 'Precondition failed', code: 'VERSION_CONFLICT', message: 'It changed.' });
    expect(headers.get('x-more')).toBe('1');
    expect(headers.get('content-type')).toStartWith('application/json');
  });

  test('answers an unknown path with 404', async () => {
    expect(await call('/nowhere')).toMatchObject({ status: 404, json: { code: 'NOT_FOUND' } });
    expect(await call('/expected', { method: 'DELETE' })).toMatchObject({ status: 404, json: { code: 'NOT_FOUND' } });
    const behindShortName = await app.handle(new Request('http://a/ab/expected'));
    expect(behindShortName.status).toBe(404);
  });

  test('answers a database that does not answer with 503, and when to come again', async () => {
    const { status, headers, json } = await call('/late');
    expect({ status, code: json.code, retryAfter: headers.get('retry-after') }).toEqual({
      status: 503,
      code: 'DATABASE_UNAVAILABLE',
      retryAfter: '5',
    });
  });

  test('answers 503 when a handler waits for a database that says nothing', async () => {
    const hanging = errorMapping(log, { answerMs: 20 })
      .use(correlation())
      .get('/hangs', () => new Promise(() => {}));
    const id = crypto.randomUUID();
    const response = await hanging.handle(
      new Request('http://localhost/hangs', { headers: { 'x-correlation-id': id } }),
    );
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.get('x-correlation-id')).toBe(id);
    expect(await response.json()).toMatchObject({ error: 'Service unavailable', code: 'DATABASE_UNAVAILABLE' });
  });

  test('tells nothing of a bug, and logs it under the correlation id of the answer', async () => {
    const { status, headers, json } = await call('/bug');
    expect({ status, code: json.code }).toEqual({ status: 500, code: 'INTERNAL_ERROR' });
    expect(JSON.stringify(json)).not.toContain('secret');
    expect(lines.at(-1)).toMatchObject({
      level: 'error',
      path: '/bug',
      correlation_id: headers.get('x-correlation-id'),
      error: { name: 'TypeError', message: 'secret detail' },
    });
  });

  test('takes an answer that fails its schema as our fault', async () => {
    expect(await call('/answer')).toMatchObject({ status: 500, json: { code: 'INTERNAL_ERROR' } });
  });

  test('names the field that is wrong and never repeats what was sent', async () => {
    const sent = { list: [{ title: 'ok' }, { title: ['private'] }] };
    const headers = { 'content-type': 'application/json' };
    const { status, json } = await call('/body', { method: 'POST', headers, body: JSON.stringify(sent) });
    expect({ status, code: json.code }).toEqual({ status: 400, code: 'POST_ERROR' });
    expect(json.message).toBe('list.1.title: Expected string');
    expect(JSON.stringify(json)).not.toContain('private');
    expect(await call('/query')).toMatchObject({ status: 400, json: { code: 'OTHER' } });
  });

  test('names a query parameter that is a number out of range', async () => {
    const message = 'after: Expected integer to be greater or equal to 1';
    expect(await call('/query?limit=5&after=0')).toMatchObject({ status: 400, json: { message } });
  });

  test('answers a request whose Host is none without showing its source', async () => {
    const server = app.listen({ hostname: '127.0.0.1', port: 0 });
    try {
      expect(server.server?.development).toBe(false);
      for (const host of ['a@b', 'a/b?', '']) {
        const answer = await said(
          server.server?.port ?? 0,
          `GET /bug HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
        );
        expect(answer).toStartWith('HTTP/1.1 400 ');
        expect(answer.toLowerCase()).toContain('x-correlation-id: ');
        expect(answer).toContain('{"error":"Bad request","code":"INVALID_REQUEST"');
      }
    } finally {
      await server.stop(true);
    }
  });
});

/** What a server answers to bytes that `fetch` would never send. */
async function said(port: number, request: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = '';
  await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      open: (socket) => void socket.write(request),
      data: (_socket, bytes) => void (answer += bytes.toString()),
      close: () => resolve(answer),
    },
  });
  return promise;
}
