import { describe, expect, test } from 'bun:test';
import { Elysia } from 'elysia';
import { correlation, isUuid } from './correlation.ts';

const app = new Elysia()
  .use(correlation())
  .get('/', ({ correlationId, traceparent }) => ({ correlationId, traceparent }))
  .get('/raw', () => new Response('raw', { status: 418 }))
  .get('/bug', () => {
    throw new Error('bug');
  });

const call = (path: string, headers: Record<string, string> = {}) =>
  app.handle(new Request(`http://localhost${path}`, { headers }));
const ids = async (headers?: Record<string, string>) =>
  (await (await call('/', headers)).json()) as { correlationId: string; traceparent: string };

describe('correlation id', () => {
  const given = 'AAAAAAAA-2222-7333-8444-555555555555';

  test('is the caller’s in lower case, the same inside and on the answer', async () => {
    const answer = await call('/', { 'x-correlation-id': given });
    expect(answer.headers.get('x-correlation-id')).toBe(given.toLowerCase());
    expect(await answer.json()).toMatchObject({ correlationId: given.toLowerCase() });
  });

  test.each(['', 'abc', `${given}0`, `${given}\n`.trim() + ' x', 'null'])('is a new one for "%s"', async (text) => {
    const { correlationId } = await ids({ 'x-correlation-id': text });
    expect(isUuid(correlationId)).toBe(true);
    expect(correlationId).not.toBe((await ids({ 'x-correlation-id': text })).correlationId);
  });

  test.each(['/raw', '/bug', '/nowhere'])('is on the answer of %s', async (path) => {
    const { headers } = await call(path, { 'x-correlation-id': given });
    expect(headers.get('x-correlation-id')).toBe(given.toLowerCase());
  });
});

describe('traceparent', () => {
  const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  test('is the caller’s when it is well formed', async () => {
    expect((await ids({ traceparent: given })).traceparent).toBe(given);
  });

  test.each([
    '',
    'abc',
    given.toUpperCase(),
    given.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
    `${given}-x`,
  ])('is a new root for "%s"', async (text) => {
    const { traceparent } = await ids({ traceparent: text });
    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(traceparent).not.toBe(text);
  });
});
