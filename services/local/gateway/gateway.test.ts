import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createIntake } from '#shared/intake';
import { buildSite } from '../../web/build.ts';
import { createSite } from '../../web/site.ts';
import { startDying } from '../../../test/support/dying.ts';
import { said } from '../../../test/support/raw.ts';
import { eventually } from '../../../test/support/wait.ts';
import { type AppId, apps, perApp } from '../machine/apps.ts';
import { mayHaveDemo } from './demo-login.ts';
import { type GatewayOptions, serviceOf, startGateway } from './gateway.ts';
import { freePort } from '../machine/port.ts';

const upstreams = new Map<AppId, Bun.Server<undefined>>();
let openStreams = 0;
let requests = 0;
let options: Omit<GatewayOptions, 'port'>;
let gateway: Bun.Server<undefined>;
const site = buildSite({ hasDemo: true }).then(createSite);

beforeAll(() => {
  for (const { appId } of apps.slice(0, 4)) upstreams.set(appId, startUpstream(appId));
  const ports = Object.fromEntries(apps.map(({ appId }) => [appId, upstreams.get(appId)?.port ?? freePort()]));
  options = {
    ports: ports as Record<AppId, number>,
    publicUrl: 'https://tasks.example',
    site: () => site,
    demo: { email: 'demo@example.com', password: 'Tf1-secret' },
    tour: async () => '# Tour',
  };
  gateway = startGateway({ ...options, port: 0 });
});
afterAll(async () => {
  await Promise.all([gateway, ...upstreams.values()].map((server) => server.stop(true)));
});

/** Says what reached it; `/stream` sends one line and stays open. */
function startUpstream(appId: AppId): Bun.Server<undefined> {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      requests += 1;
      const { pathname, search } = new URL(request.url, 'http://localhost'); // a mere path without a Host
      if (pathname === '/health/ready') return Response.json({ status: 'ready', version: '1' });
      if (pathname.endsWith('/auth/login'))
        return new Response('{}', { headers: { 'set-cookie': 'taskflow_session=x' } });
      if (pathname.endsWith('/stream')) return openStream();
      const headers = Object.fromEntries(request.headers);
      return Response.json({
        appId,
        method: request.method,
        path: pathname + search,
        headers,
        body: await request.text(),
      });
    },
  });
}

function openStream(): Response {
  const body = new ReadableStream({
    start(controller) {
      openStreams += 1;
      controller.enqueue('event: ready\n\n');
    },
    cancel() {
      openStreams -= 1;
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

/** Without the slash at the end, as browsers send it. */
const origin = () => gateway.url.origin;
const call = (path: string, init?: RequestInit) => fetch(new URL(path, gateway.url), init);

describe('serviceOf', () => {
  test.each([
    ['/api/v1/tasks', 'chat-api'],
    ['/api/v1/notifications', 'notification-service'],
    ['/api/v1/notifications/stream', 'notification-service'],
    ['/api/v1/notificationsX', 'chat-api'],
    ['/api/v1/audit/events', 'audit-logger'],
    ['/api/v1/reminders/next', 'reminder-service'],
    ['/api/v1/internal/replay', undefined],
    ['/events/task-created', undefined],
    ['/metrics', undefined],
    ['/dapr/subscribe', undefined],
  ])('%s goes to %s', (path, appId) => expect(serviceOf(path)).toBe(appId as AppId));
});

describe('forward', () => {
  test('hands method, path, query, body, host and the client address on', async () => {
    const response = await call('/api/v1/tasks/1?scope=this', {
      method: 'PUT',
      body: '{"a":1}',
      headers: { 'if-match': '"3"' },
    });
    const { headers, ...seen } = (await response.json()) as Record<string, unknown>;
    expect(seen).toEqual({ appId: 'chat-api', method: 'PUT', path: '/api/v1/tasks/1?scope=this', body: '{"a":1}' });
    expect(headers).toMatchObject({ 'if-match': '"3"', 'x-forwarded-for': '127.0.0.1', host: gateway.url.host });
  });

  test('does not share its port with another gateway', () => {
    let second: Bun.Server<undefined> | undefined;
    try {
      expect(() => (second = startGateway({ ...options, port: gateway.port ?? 0 }))).toThrow('in use');
    } finally {
      void second?.stop(true);
    }
  });

  test('refuses paths that climb out of the API', async () => {
    for (const path of ['/api/v1/../../events/task-created', '/api/v1/%2e%2e/%2e%2e/metrics', '/events/task-created']) {
      const response = await call(path, { method: 'POST' });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: 'NOT_FOUND' });
    }
  });

  test('answers under the correlation id of the caller, also where it refuses', async () => {
    const id = crypto.randomUUID();
    for (const path of ['/nowhere', '/local/demo-login']) {
      const response = await call(path, { method: 'POST', headers: { 'x-correlation-id': id } });
      expect([response.status >= 400, response.headers.get('x-correlation-id')]).toEqual([true, id]);
    }
  });

  const raw = (line: string, ...headers: string[]) =>
    said(gateway.port ?? 0, [line, ...headers, 'Connection: close', '', ''].join('\r\n'));

  test.each(['a@b', 'a/api/v1/tasks?'])('refuses a Host that is none: %j', async (host) => {
    const answer = await raw('GET /api/v1/tasks HTTP/1.1', `Host: ${host}`);
    expect(answer).toMatch(/^HTTP\/1.1 400 [^]*"code":"INVALID_REQUEST"/);
  });

  test('hands on what comes without a Host, from the address of its socket', async () => {
    for (const answer of [
      await raw('GET /api/v1/tasks?a=1 HTTP/1.0'),
      await raw('GET /api/v1/tasks?a=1 HTTP/1.1', 'Host:'),
    ]) {
      expect(answer).toMatch(/^HTTP\/1.1 200 [^]*"path":"\/api\/v1\/tasks\?a=1"/);
      expect(answer).toContain('"x-forwarded-for":"127.0.0.1"');
    }
    expect(await raw('GET //elsewhere/tour HTTP/1.0')).toStartWith('HTTP/1.1 404 ');
    expect(await raw('GET /tour HTTP/1.0')).toEndWith('# Tour');
  });

  test('passes the first line of a stream at once and tells the service when the client leaves', async () => {
    const leave = new AbortController();
    const response = await call('/api/v1/notifications/stream', { signal: leave.signal });
    const { value } = await response.body!.getReader().read(); // a 200 has a body
    expect(new TextDecoder().decode(value)).toBe('event: ready\n\n');
    expect(openStreams).toBe(1);

    leave.abort();
    await eventually(() => openStreams === 0, { what: 'the service to notice' });
  });

  test('hands on nothing that only a sidecar or a proxy may say', async () => {
    const headers = { 'dapr-api-token': 'guessed', 'x-forwarded-host': 'tasks.example', 'x-forwarded-proto': 'https' };
    const seen = (await (await call('/api/v1/tasks', { headers })).json()) as { headers: Record<string, string> };
    expect(Object.keys(headers).filter((name) => name in seen.headers)).toEqual(['x-forwarded-proto']);
  });

  test('hands HEAD on, and opens no stream for it', async () => {
    const said = await raw('HEAD /api/v1/notifications/stream HTTP/1.1', 'Host: localhost');
    expect(said.toLowerCase()).toMatch(
      /^http\/1.1 200 [^]*content-type: text\/event-stream[^]*transfer-encoding: chunked/,
    );
    const list = await raw('HEAD /api/v1/tasks HTTP/1.1', 'Host: localhost');
    expect(list.toLowerCase()).toMatch(/^http\/1.1 200 [^]*content-length: [1-9]/);
    await eventually(() => openStreams === 0, { what: 'the service to notice' });
  });

  describe('of a body', () => {
    const post = (rest: string, to = gateway) =>
      said(to.port ?? 0, `POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${rest}`);
    const inChunks = (bytes: number) =>
      `Transfer-Encoding: chunked\r\n\r\n${`10000\r\n${'x'.repeat(65_536)}\r\n`.repeat(bytes / 65_536)}`;

    test('hands on 1 MiB, whether or not it says its length', async () => {
      const answer = await call('/api/v1/tasks', { method: 'POST', body: 'x'.repeat(1_048_576) });
      expect(((await answer.json()) as { body: string }).body).toHaveLength(1_048_576);
      expect(await post(`${inChunks(1_048_576)}0\r\n\r\n`)).toStartWith('HTTP/1.1 200 ');
    });

    // Nothing of these ever ends: only what is refused before it is there is answered.
    test.each([
      ['says it', `Content-Length: ${120 * 1_048_576}\r\n\r\n`],
      ['says it, beyond what Bun would take', `Content-Length: ${1024 * 1_048_576}\r\n\r\n`],
      ['sends it', inChunks(1_048_576 + 65_536)],
    ])('refuses more by 413 as soon as the client %s, and asks no service', async (_name, rest) => {
      const before = requests;
      const answer = await post(rest);
      expect(answer).toMatch(/^HTTP\/1.1 413 [^]*"error":"Payload too large","code":"PAYLOAD_TOO_LARGE"/);
      expect(answer.toLowerCase()).toContain('x-correlation-id: ');
      expect(requests).toBe(before);
    });

    test('gives up one of whoever sends most, also of those who come through one proxy', async () => {
      const intake = createIntake({ totalBytes: 200_000 });
      const behind = startGateway({ ...options, port: 0, intake, isTrusted: (address) => address === '127.0.0.1' });
      const { readable, writable } = new TransformStream<Uint8Array>();
      const writer = writable.getWriter();
      const path = new URL('/api/v1/tasks', behind.url);
      const honest = fetch(path, { method: 'POST', headers: { 'x-forwarded-for': '192.0.2.1' }, body: readable });
      try {
        await writer.write(new Uint8Array(1000)); // the first, and still coming
        const flood = await post(`X-Forwarded-For: 192.0.2.2\r\n${inChunks(262_144)}`, behind);
        expect(flood).toStartWith('HTTP/1.1 408 ');
        await writer.close();
        expect((await honest).status).toBe(200);
      } finally {
        await behind.stop(true);
      }
    });

    test('gives up what does not come, by 408 and the end of the connection', async () => {
      const hurried = startGateway({ ...options, port: 0, intake: createIntake({ bodyMs: 20 }) });
      try {
        for (const rest of ['Content-Length: 100\r\n\r\n{"title":"', inChunks(65_536)])
          expect(await post(rest, hurried)).toMatch(/^HTTP\/1.1 408 [^]*"code":"REQUEST_TIMEOUT"/);
      } finally {
        await hurried.stop(true);
      }
    });
  });

  test.each(['DELETE', 'PUT'])('asks for a %s once, also of a service that ends without an answer', async (method) => {
    const { port, asked, stop } = startDying();
    const before = startGateway({ ...options, port: 0, ports: { ...options.ports, 'chat-api': port } });
    const task = new URL('/api/v1/tasks/1', before.url);
    await fetch(task);
    expect((await fetch(task, { method })).status).toBe(502);
    expect(asked).toEqual(['GET', method]);
    await before.stop(true);
    stop();
  });

  test('answers 503 in the house form while a service is away, and the overview says which', async () => {
    const away = upstreams.get('audit-logger');
    await away?.stop(true);
    const response = await call('/api/v1/audit/events');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });

    const health = await call('/health');
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({
      status: 'unhealthy',
      services: { 'chat-api': { status: 'ready' }, 'audit-logger': { status: 'away' } },
    });
  });
});

describe('what the gateway answers itself', () => {
  const pages = ['/', '/tour', '/health'];

  test.each([...pages, '/local/demo-login'])('%s refuses a method that it has not', async (path) => {
    const allow = path === '/local/demo-login' ? 'POST, OPTIONS' : 'GET, HEAD, OPTIONS';
    const answer = await call(path, { method: 'PUT' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
    expect(await answer.json()).toMatchObject({ error: 'Method not allowed', code: 'METHOD_NOT_ALLOWED' });
    const options = await call(path, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow'), await options.text()]).toEqual([204, allow, '']);
  });

  test.each(pages)('%s takes HEAD as GET without a body', async (path) => {
    const [head, get] = [await call(path, { method: 'HEAD' }), await call(path)];
    const headersOf = ({ headers }: Response) => ({ ...headers.toJSON(), date: '', 'x-correlation-id': '' });
    expect([head.status, headersOf(head), await head.text()]).toEqual([get.status, headersOf(get), '']);
  });

  test.each([
    ...['GET /tour', 'GET /health', 'GET /nowhere', 'PUT /tour', 'OPTIONS /tour', 'POST /local/demo-login'],
    ...['POST /api/v1/tasks', 'GET /api/v1/audit/events'], // too long, and away
  ])('%s is kept by nobody, taken for nothing else, and asked for by https', async (line) => {
    const [method, path = ''] = line.split(' ');
    const body = line === 'POST /api/v1/tasks' ? 'x'.repeat(1_048_577) : undefined;
    const { headers } = await call(path, { method: method ?? '', ...(body && { body }) });
    expect(headers.toJSON()).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'strict-transport-security': 'max-age=31536000',
    });
  });

  test.each(['evil.example', 'tasks.example.evil.example'])('nobody reads any of it as %s', async (name) => {
    for (const path of [...pages, '/local/demo-login', '/api/v1/tasks', '/nowhere']) {
      const [before, answer] = [requests, await call(path, { headers: { host: name } })];
      expect([answer.status, await answer.json()]).toEqual([
        421,
        expect.objectContaining({ error: 'Misdirected request' }),
      ]);
      expect(requests).toBe(before);
    }
    expect((await call('/tour', { headers: { host: 'tasks.example' } })).status).toBe(200);
  });
});

test.each(['/', '/tour', '/health', '/nothing'])('%s names the request by its correlation id', async (path) => {
  const id = crypto.randomUUID();
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    const { headers } = await call(path, { method, headers: { 'x-correlation-id': id } });
    expect(headers.get('x-correlation-id')).toBe(id);
  }
});

describe('POST /local/demo-login', () => {
  const login = (headers: Record<string, string>) => call('/local/demo-login', { method: 'POST', headers });

  test('logs our own page in', async () => {
    const response = await login({ origin: origin() });
    expect(response.status).toBe(200);
    expect(response.headers.getSetCookie()).toEqual(['taskflow_session=x']);
    expect(await response.json()).toEqual({ email: 'demo@example.com' });
  });

  test.each<[string, () => Record<string, string>]>([
    ['another origin', () => ({ origin: 'http://evil.example' })],
    ['no origin', () => ({})],
    ['the public name', () => ({ host: 'tasks.example', origin: 'http://tasks.example' })],
    ['a proxy in front', () => ({ origin: origin(), 'x-forwarded-for': '203.0.113.9' })],
  ])('refuses %s', async (_name, headers) => expect((await login(headers())).status).toBe(403));
});

describe('without a demo user', () => {
  const without = startGateway({
    port: 0,
    ports: perApp(freePort),
    publicUrl: '',
    site: () => site,
    demo: null,
    tour: async () => '',
  });
  afterAll(() => without.stop(true));
  const ask = (path: string, init?: RequestInit) => fetch(new URL(path, without.url), init);

  test('nobody can log in as one, whatever he says of himself', async () => {
    const response = await ask('/local/demo-login', { method: 'POST', headers: { origin: without.url.origin } });
    expect(response.status).toBe(404);
  });
});

test.each([
  ['http://localhost:8080', 'open', true],
  ['http://127.0.0.1:8080', 'open', true],
  ['https://localhost', 'open', true],
  ['http://localhost:8080', 'invite', false],
  ['http://localhost:8080', 'closed', false],
  ['https://tasks.example', 'open', false],
  ['http://192.168.1.5:8080', 'open', false],
  ['https://localhost.tasks.example', 'open', false],
  ['nothing', 'open', false],
])('%s with sign-up %s: a demo user? %s', (publicUrl, signup, expected) => {
  expect(mayHaveDemo(publicUrl, signup)).toBe(expected);
});

describe('the page', () => {
  const navigation = { headers: { accept: 'text/html,*/*' } };

  test('is at / and at every address of its own router, each time asked for anew', async () => {
    for (const path of ['/', '/all', '/some/where']) {
      const response = await call(path, navigation);
      expect(response.headers.get('content-type')).toContain('text/html');
      expect(response.headers.get('cache-control')).toBe('no-cache');
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(await response.text()).toContain('<title>TaskFlow</title>');
    }
  });

  test.each(['/api/v2/tasks', '/local/nothing', '/health/nothing', '/assets/old-123.js', '/favicon.ico'])(
    '%s stays a 404, also to a browser',
    async (path) => expect((await call(path, navigation)).status).toBe(404),
  );
});
