import { afterAll, describe, expect, test } from 'bun:test';
import { expectation } from '#shared/expectation';
import type { Schema } from '#shared/expectation';
import { apps } from '../../services/local/machine/apps.ts';
import { startApps } from '../support/apps.ts';
import { said } from '../support/raw.ts';

// What every service owes to HTTP, over real sockets: what Bun's own router takes never passes `app.handle`.

const running = startApps({
  TRUSTED_PROXIES: '10.0.0.0/8',
  ADDRESS_ATTEMPTS: 2,
  PUBLIC_URL: 'https://tasks.example:8443/app',
});
const inCluster = startApps({ HOST: '0.0.0.0' });
afterAll(() => Promise.all([running.stop(), inCluster.stop()]));

describe.each(apps.map(({ appId }) => appId))('%s', (appId) => {
  const port = running.portOf(appId);

  test.each([
    ['of HTTP/1.0 without Host', 'GET /health/live HTTP/1.0\r\n\r\n'],
    ['of HTTP/1.0 with a query', 'GET /health/live?from=probe HTTP/1.0\r\n\r\n'],
    ['with an empty Host', 'GET /health/live HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'],
  ])('answers a probe %s', async (_name, probe) => {
    const answer = await said(port, probe);
    expect(answer).toStartWith('HTTP/1.1 200 ');
    expect(answer).toContain(`"service":"${appId}"`);
  });

  test('answers it on all other paths too', async () => {
    for (const path of ['/metrics', '/health/live/', '/nowhere', '//elsewhere/health/live']) {
      const answer = await said(port, `GET ${path} HTTP/1.0\r\n\r\n`);
      expect(answer).toMatch(path === '/metrics' || path === '/health/live/' ? /^HTTP\/1.1 200 / : /^HTTP\/1.1 404 /);
    }
  });

  test.each(['a b', '<script>', 'a@b', 'a/b?', ':80', 'a:b', '%'])('refuses a Host that is none: %s', async (host) => {
    const answer = await said(port, `GET /health/live HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer).toStartWith('HTTP/1.1 400 ');
    expect(answer.toLowerCase()).toContain('x-correlation-id: ');
    expect(answer).toContain('{"error":"Bad request","code":"INVALID_REQUEST"');
  });
});

describe.each(apps.map(({ appId }) => appId))('names of %s', (appId) => {
  const ask = (host: string, { portOf } = running) =>
    said(portOf(appId), `GET /health/live HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);

  // Where somebody lets his own name point to this machine, its pages would read what they ask here.
  test.each([
    ...['evil.example', 'evil.example:8000', 'localhost.evil.example', '127.0.0.1.evil.example', 'evil.tasks.example'],
    ...['notlocalhost', '0.0.0.0', '192.0.2.1', '[::]', '128.0.0.1'],
  ])('%s is none, on the loopback', async (host) => {
    const answer = await ask(host);
    expect(answer).toMatch(/^HTTP\/1.1 421 [^]*"error":"Misdirected request","code":"MISDIRECTED_REQUEST"/);
    expect(answer).not.toContain(host);
    expect(await ask(host, inCluster)).toStartWith('HTTP/1.1 200 ');
  });

  test.each([
    ...['localhost', 'LOCALHOST:1', 'localhost.', 'app.localhost', '127.0.0.1:9', '127.8.8.8', '[::1]', '[::1]:80'],
    ...['tasks.example', 'Tasks.Example', 'tasks.example:8443', 'tasks.example:9'],
  ])('%s is one, on any port', async (host) => {
    expect(await ask(host)).toStartWith('HTTP/1.1 200 ');
  });
});

describe.each(apps.map(({ appId }) => appId))('headers of %s', (appId) => {
  const paths = ['/nowhere', ...new Set(running.apps[appId].routes.map(({ path }) => path.replace(/:\w+/g, 'x')))];

  test.each(paths)('%s lets nobody keep its answers or take them for another type', async (path) => {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const { headers } = await fetch(`http://127.0.0.1:${running.portOf(appId)}${path}`, { method });
      expect(headers.toJSON()).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'strict-transport-security': 'max-age=31536000',
      });
    }
  });

  test('HSTS is for who is reached by https', async () => {
    const { headers } = await fetch(`http://127.0.0.1:${inCluster.portOf(appId)}/health/live`);
    expect(headers.get('strict-transport-security')).toBeNull();
  });
});

describe.each(apps.map(({ appId }) => appId))('methods of %s', (appId) => {
  const { routes } = running.apps[appId];
  const call = (method: string, path: string) => fetch(`http://127.0.0.1:${running.portOf(appId)}${path}`, { method });
  const paths = [...new Set(routes.map(({ path }) => path.replace(/:\w+/g, 'x')))].flatMap((path) => [
    path,
    `${path}/`,
  ]);

  /** In the order in which `Allow` gives them. */
  function methodsOf(path: string): string[] {
    const served = routes.filter((route) =>
      new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+').replace('*', '.+')}/?$`).test(path),
    );
    const methods = served.map(({ method }) => method);
    const all = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
    return ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter((method) => all.includes(method));
  }

  test.each(paths)('%s refuses each that it has not, and names those it has', async (path) => {
    const has = methodsOf(path);
    const hasNot = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'].filter((method) => !has.includes(method));
    for (const method of hasNot) {
      const answer = await call(method, path);
      expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, has.join(', ')]);
      expect(answer.headers.get('x-correlation-id')).not.toBeNull();
      expect(await answer.json()).toMatchObject({ error: 'Method not allowed', code: 'METHOD_NOT_ALLOWED' });
    }
  });

  test.each(paths.filter((path) => !path.startsWith('/health/ready')))(
    '%s tells by OPTIONS what it has',
    async (path) => {
      const answer = await call('OPTIONS', path);
      expect([answer.status, answer.headers.get('allow')]).toEqual([204, methodsOf(path).join(', ')]);
      expect(await answer.text()).toBe('');
    },
  );

  test.each(paths.filter((path) => methodsOf(path).includes('GET')))(
    '%s answers HEAD as GET, without a body',
    async (path) => {
      const id = crypto.randomUUID();
      const ask = async (method: string) => {
        const headers = `Host: localhost\r\nX-Correlation-Id: ${id}\r\nConnection: close`;
        const answer = await said(running.portOf(appId), `${method} ${path} HTTP/1.1\r\n${headers}\r\n\r\n`);
        const [head = '', body] = answer.split('\r\n\r\n');
        const [status, ...fields] = head.toLowerCase().split('\r\n');
        // The date moves on, and so do the metrics and their length.
        const same = fields.filter(
          (field) => !field.startsWith('date:') && !/metrics.*content-length/.test(path + field),
        );
        return { status, fields: same.toSorted(), body };
      };
      expect(await ask('HEAD')).toEqual({ ...(await ask('GET')), body: '' });
    },
  );

  test.each(['/', '/nowhere', '/health/liv%65', '/HEALTH/live', '/health//live', '/health/live/x'])(
    'there is nothing at %s, whatever the method',
    async (path) => {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'PROPFIND']) {
        expect([method, (await call(method, path)).status]).toEqual([method, 404]);
      }
    },
  );
});

test.each(['%zz', '%00', 'a%2Fb', '%C3', '..;', encodeURIComponent('ä'), '__proto__'])(
  'a parameter as odd as %s is one',
  async (id) => {
    const url = `http://127.0.0.1:${running.portOf('chat-api')}/api/v1/tasks/${id}`;
    const answer = await fetch(url, { method: 'POST' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS']);
    expect((await fetch(url)).status).toBe(401);
  },
);

// HAProxy probes by OPTIONS unless it is told otherwise.
test('OPTIONS of /health/ready tells readiness', async () => {
  const answer = await said(running.portOf('chat-api'), 'OPTIONS /health/ready HTTP/1.0\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1.1 503 [^]*"status":"unready"/);
});

test('a caller without Host is still known by the address of the socket', async () => {
  const signup = (hop: string) =>
    said(
      running.portOf('chat-api'),
      `POST /api/v1/auth/signup HTTP/1.0\r\nX-Forwarded-For: ${hop}\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{"email":"","password":"x"}`,
    );
  const answers = [await signup('192.0.2.1'), await signup('192.0.2.2'), await signup('192.0.2.3')];
  expect(answers.map((answer) => answer.slice(9, 12))).toEqual(['400', '400', '429']);
});

test('every field that a route checks by its schema can be asked for in words', () => {
  const fields = Object.values(running.apps).flatMap(({ routes }) =>
    routes.flatMap(({ hooks }) =>
      [hooks.body, hooks.query].flatMap((schema) => fieldsOf(schema as Schema | undefined)),
    ),
  );
  expect(fields.length).toBeGreaterThan(20);
  for (const field of fields) expect(expectation(field)).not.toMatch(/another value|undefined/);
});

/** The fields of an object, also of one that may be left out. */
const fieldsOf = (schema: Schema | undefined): Schema[] =>
  schema?.anyOf?.flatMap(fieldsOf) ?? Object.values(schema?.properties ?? {});
