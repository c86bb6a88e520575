import { describe, expect, test } from 'bun:test';
import { eventually } from '../../../test/support/wait.ts';
import { compressed } from './compress.ts';

const long = JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, title: 'Water the plants' })));
const json = { 'content-type': 'application/json;charset=utf-8' };

/** What a client that accepts `accepts` gets of an answer. */
function answered(
  body: string | ReadableStream | null = long,
  { path = '/api/v1/tasks', accepts = 'br, gzip', headers = json as Record<string, string>, ...init } = {},
): Response {
  const size: Record<string, string> = typeof body === 'string' ? { 'content-length': `${body.length}` } : {};
  const request = new Request(`http://localhost${path}`, { headers: { 'accept-encoding': accepts } });
  return compressed(request, new Response(body, { headers: { ...size, ...headers }, ...init }));
}

const unzipped = async (response: Response) =>
  new TextDecoder().decode(Bun.gunzipSync(new Uint8Array(await response.arrayBuffer())));

describe('an answer of more than 1 KB', () => {
  test('is sent in gzip, shorter and the same', async () => {
    const { headers } = answered();
    expect([headers.get('content-encoding'), headers.get('vary'), headers.has('content-length')]).toEqual([
      'gzip',
      'accept-encoding',
      false,
    ]);
    expect(await unzipped(answered())).toBe(long);
  });

  test.each(['gzip', 'GZIP;q=0.5', 'br;q=1.0, *;q=0.1'])('is in gzip for %p', (accepts) => {
    expect(answered(long, { accepts }).headers.get('content-encoding')).toBe('gzip');
  });

  test.each(['', 'br', 'identity', 'gzip;q=0', '*;q=0', 'gzip;q=0, *'])('is as it was for %p', async (accepts) => {
    const answer = answered(long, { accepts });
    expect([answer.headers.get('content-encoding'), answer.headers.get('vary')]).toEqual([null, 'accept-encoding']);
    expect(await answer.text()).toBe(long);
  });

  test('is as it was with an ETag, which names its bytes', () => {
    expect(answered(long, { headers: { ...json, etag: '"3"' } }).headers.get('content-encoding')).toBeNull();
  });

  test('is as it was where tokens are given', () => {
    expect(answered(long, { path: '/api/v1/auth/tokens' }).headers.get('content-encoding')).toBeNull();
  });

  test('is as it was when it is encoded already, or no text', () => {
    expect(answered(long, { headers: { ...json, 'content-encoding': 'br' } }).headers.get('content-encoding')).toBe(
      'br',
    );
    expect(answered(long, { headers: { 'content-type': 'image/png' } }).headers.get('content-encoding')).toBeNull();
  });
});

test('a shorter answer is as it was', () => {
  expect(answered('[]').headers.get('content-encoding')).toBeNull();
});

test('a stream of events is as it was', () => {
  const answer = answered(new ReadableStream(), { headers: { 'content-type': 'text/event-stream' } });
  expect(answer.headers.get('content-encoding')).toBeNull();
});

test('HEAD has the headers of the answer that GET would give', () => {
  const request = new Request('http://localhost/api/v1/tasks', {
    method: 'HEAD',
    headers: { 'accept-encoding': 'gzip' },
  });
  const answer = compressed(request, new Response(null, { headers: { ...json, 'content-length': '5000' } }));
  const { headers, body } = answer;
  expect([headers.get('content-encoding'), headers.get('vary'), headers.get('content-length'), body]).toEqual([
    'gzip',
    'accept-encoding',
    null,
    null,
  ]);
});

test('an answer without a body has none', () => {
  expect(answered(null, { status: 204 } as object).body).toBeNull();
});

test('one whose reader leaves is no longer made', async () => {
  let hasLeft = false;
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(crypto.getRandomValues(new Uint8Array(16_384))),
    cancel: () => void (hasLeft = true),
  });
  const reader = answered(endless).body?.getReader();
  await reader?.read();
  await reader?.cancel();
  expect(await eventually(() => hasLeft)).toBe(true);
});
