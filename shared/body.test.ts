import { describe, expect, test } from 'bun:test';
import { Elysia, t } from 'elysia';
import { jsonBodies, serveOptions } from './body.ts';
import { edge } from './edge.ts';
import { ApiError, refusedAs } from './errors.ts';
import { createIntake, MAX_BODY_BYTES } from './intake.ts';
import { createLog } from './log.ts';

async function admit({ headers }: Request): Promise<{ maxBytes: number; by: string }> {
  if (headers.get('authorization') === 'none') throw new ApiError(401, 'WHO', 'Who is calling?');
  return { maxBytes: MAX_BODY_BYTES, by: headers.get('x-by') ?? 'ada' };
}

const app = edge({ log: createLog('test', { write: () => {} }), admit })
  .onTransform(refusedAs('ROUTE_CODE'))
  .post('/strict', ({ body }) => body, { body: t.Object({ title: t.String() }) })
  .post('/loose', ({ body }) => body ?? 'nothing', { body: t.MaybeEmpty(t.Object({ title: t.Optional(t.String()) })) })
  .post('/none', () => 'ran')
  .post('/events/created', ({ body }) => body as object, { parse: 'json' });

async function post(
  path: string,
  body?: Bun.BodyInit,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) {
  const init = body === undefined ? {} : { body };
  const response = await app.handle(new Request(`http://localhost${path}`, { method: 'POST', headers, ...init }));
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, code: /"code":"(\w+)"/.exec(text)?.[1] };
}

describe('jsonBodies', () => {
  test('asks for the caller before it tells of the body', async () => {
    const headers = { authorization: 'none', 'content-type': 'application/json' };
    for (const body of ['{', 'x'.repeat(2 * 1024 * 1024), '{}']) {
      expect(await post('/strict', body, headers)).toMatchObject({ status: 401, code: 'WHO' });
    }
  });

  test.each(['/strict', '/loose', '/none'])('refuses a bad body on %s, whatever the route wants', async (path) => {
    expect(await post(path, '{')).toMatchObject({ status: 400, code: 'ROUTE_CODE' });
    expect(await post(path, 'a=b', { 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
    });
    const long = `{"title":"${'x'.repeat(1024 * 1024)}"}`;
    const said = { 'content-type': 'application/json', 'content-length': String(long.length) };
    for (const headers of [said, { 'content-type': 'application/json' }]) {
      expect(await post(path, long, headers)).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' });
    }
  });

  test.each(['gzip', 'br', 'identity, gzip', 'x'])(
    'refuses the content coding %s, and says what it takes',
    async (coding) => {
      const headers = { 'content-type': 'application/json', 'content-encoding': coding };
      const answer = await post('/strict', Bun.gzipSync('{"title":"a"}'), headers);
      expect(answer).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
      expect(answer.text).toContain('Content-Encoding');
      expect(answer.headers.get('accept-encoding')).toBe('identity');
      expect(await post('/strict', '{}', { ...headers, authorization: 'none' })).toMatchObject({ status: 401 });
      expect((await post('/none', '', headers)).status).toBe(200);
    },
  );

  test.each(['identity', 'Identity', ''])('takes the content coding "%s", which changes nothing', async (coding) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': coding };
    expect(await post('/strict', '{"title":"a"}', headers)).toMatchObject({ status: 200, text: '{"title":"a"}' });
  });

  test('looks through one long body of a sender at a time: others, and short ones, come in between', async () => {
    const long = `{"title":"${'é'.repeat(500_000)}"}`;
    const ended: string[] = [];
    const send = async (name: string, body: string) => {
      const headers = { 'content-type': 'application/json', 'x-by': name };
      ended.push(`${name} ${(await post('/loose', body, headers)).status}`);
    };
    const many = Array.from({ length: 6 }, () => send('ada', long));
    await many[0];
    await Promise.all([send('bob', long), send('ada', '{"title":"short"}')]);
    await Promise.all(many);
    expect(ended.lastIndexOf('bob 200')).toBeLessThan(4);
    expect(ended.filter((end) => end === 'ada 200')).toHaveLength(7);
  });

  test('takes no body where none is needed', async () => {
    for (const body of [undefined, '']) {
      expect(await post('/loose', body)).toMatchObject({ status: 200, text: 'nothing' });
      expect(await post('/none', body, {})).toMatchObject({ status: 200, text: 'ran' });
      expect(await post('/strict', body)).toMatchObject({ status: 400, code: 'ROUTE_CODE' });
    }
  });

  test.each([
    ['a list', '[]'],
    ['a text', '"x"'],
    ['null', 'null'],
    ['U+0000 in a field', '{"title":"a\\u0000"}'],
    ['half of a surrogate pair', '{"a":[{"b":"\\ud83d"}]}'],
    ['more than 30 combining marks in a row', `{"a":["e${'\\u0301\u0323'.repeat(16)}"]}`],
    ['33 levels', `{"a":${'['.repeat(33)}${']'.repeat(33)}}`],
    ['100,000 levels', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ])('refuses %s', async (_name, body) => {
    expect(await post('/loose', body)).toMatchObject({ status: 400, code: 'ROUTE_CODE' });
  });

  test.each([
    ['a list', (count: number) => `{"a":[${'0,'.repeat(count - 3)}0,0]}`],
    ['an object', (count: number) => `{${Array.from({ length: count }, (_, n) => `"k${n}":"x,\\\\\\"[{"`).join()}}`],
    ['lists and objects', (count: number) => `[${'[{"a":0}],'.repeat((count - 1) / 3 - 1)}[{"b":0}]]`],
  ])('takes 10,000 values, and parses no more than that: %s', async (_name, body) => {
    expect(await post('/loose', body(10_000))).not.toMatchObject({ text: expect.stringContaining('values') });
    // The count comes first: that this is no JSON would be seen by parsing it.
    const { status, code, text } = await post('/loose', `${body(10_003)}]`);
    expect({ status, code }).toEqual({ status: 400, code: 'ROUTE_CODE' });
    expect(text).toContain('The body holds more than 10,000 values.');
  });

  // To normalise the longer run would outlast any test: it takes the square of its length.
  test('looks through a million bytes of combining marks', async () => {
    for (const marks of [30, 500_000]) {
      const body = JSON.stringify({ a: `e${'\u0301\u0323'.repeat(marks / 2)}`.repeat(marks === 30 ? 16_000 : 1) });
      expect((await post('/loose', body)).status).toBe(marks === 30 ? 200 : 400);
    }
  });

  test('takes a whole surrogate pair and any other JSON type', async () => {
    expect(await post('/strict', '{"title":"\\ud83d\\ude00"}')).toMatchObject({ status: 200, text: '{"title":"😀"}' });
    const headers = { 'content-type': 'Application/Merge-Patch+JSON; charset=utf-8' };
    expect((await post('/strict', '{"title":"a"}', headers)).status).toBe(200);
  });

  test('leaves the content of events to their consumer', async () => {
    const headers = { 'content-type': 'application/cloudevents+json' };
    for (const body of ['{"data":"\\u0000"}', `{"data":${'['.repeat(40)}${']'.repeat(40)}}`, '[]']) {
      expect((await post('/events/created', body, headers)).status).toBe(200);
    }
  });

  test('reads long deliveries at once, in room of their own, while what people send waits for its turn', async () => {
    const readings = { within: () => Promise.reject(new Error('waits for its turn')) };
    const [intake, deliveries] = [createIntake({ totalBytes: 1 }), createIntake()];
    const body = JSON.stringify({ data: 'x'.repeat(20_000) });
    const alone = new Elysia()
      .use(jsonBodies(admit, { intake, deliveries, readings }))
      .post('/events/created', () => 'taken', { parse: 'json' });
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    expect(await (await alone.handle(new Request('http://localhost/events/created', request))).text()).toBe('taken');
    expect((await alone.handle(new Request('http://localhost/events', request))).ok).toBe(false);
  });

  test('holds on every other path, however the body is called', async () => {
    for (const type of ['application/cloudevents+json', 'application/merge-patch+json']) {
      for (const body of ['[]', '{"title":"a\\u0000"}', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`]) {
        expect(await post('/loose', body, { 'content-type': type })).toMatchObject({ status: 400, code: 'ROUTE_CODE' });
      }
    }
  });
});

test('a second process cannot listen on a port that is taken', async () => {
  const listen = (port: number) => new Elysia().listen({ ...serveOptions, hostname: '127.0.0.1', port });
  const first = listen(0);
  let second: Elysia | undefined;
  try {
    expect(() => (second = listen(first.server?.port ?? 0))).toThrow('in use');
  } finally {
    await second?.stop(true);
    await first.stop(true);
  }
});
