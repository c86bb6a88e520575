import { describe, expect, test } from 'bun:test';
import { t } from 'elysia';
import { MAX_BODY_BYTES } from './intake.ts';
import { DeadlineError } from './db.ts';
import { edge } from './edge.ts';
import { ApiError, refusedAs } from './errors.ts';
import { createLog } from './log.ts';
import { rateLimited } from './rate-limit.ts';

const lines: Record<string, unknown>[] = [];
const log = createLog('test', { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) });

const app = edge({
  log,
  admit: async () => ({ maxBytes: MAX_BODY_BYTES, by: 'ada' }),
})
  .get('/expected', () => {
    throw new ApiError(412, 'VERSION_CONFLICT', 'It changed.', { headers: { 'x-more': '1' } });
  })
  .get('/refused', () => {
    throw rateLimited('Too many.', 1000);
  })
  .get('/late', () => {
    throw new Error('wrapped', { cause: new DeadlineError('no answer') });
  })
  .get('/bug', () => {
    throw new TypeError('secret detail');
  })
  .get('/answer', () => ({ title: 5 }) as never, { response: { 200: t.Object({ title: t.String() }) } })
  .get('/query', () => 'ok', {
    query: t.Object({ limit: t.Numeric() }),
    transform: refusedAs('OTHER'),
  })
  .post('/body', () => 'ok', {
    body: t.Object({ list: t.Array(t.Object({ title: t.String() })) }),
    transform: refusedAs('POST_ERROR'),
  });

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

  test('keeps whoever is refused and asks again at once waiting for the answer, and nobody else', async () => {
    const ended: unknown[] = [];
    const ask = (path: string) => call(path).then(({ status }) => ended.push(status));
    const refusals = Array.from({ length: 110 }, () => ask('/refused'));
    await Promise.all(refusals.slice(0, 100));
    await ask('/expected');
    await Promise.all(refusals);
    expect(ended.filter((status) => status === 429)).toHaveLength(110);
    expect(ended.indexOf(412)).toBeLessThan(110);
  });

  test('answers an unknown path with 404', async () => {
    expect(await call('/nowhere')).toMatchObject({ status: 404, json: { code: 'NOT_FOUND' } });
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
    expect(json.message).toBe('list.1.title: expected text');
    expect(JSON.stringify(json)).not.toContain('private');
    expect(await call('/query')).toMatchObject({ status: 400, json: { code: 'OTHER' } });
  });
});
