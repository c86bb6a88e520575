import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { said } from '../../../test/support/raw.ts';
import { startPair } from './fixture.ts';

const TOKEN = 'token of the switchboard';
const authorization = `Bearer ${TOKEN}`;
let pair: Awaited<ReturnType<typeof startPair>>;

beforeAll(async () => {
  pair = await startPair({ port: 0 }, { control: { port: 0, token: TOKEN }, daprApiToken: 'token of the services' });
});
afterAll(() => pair.close());

const port = () => pair.standIn.controlPort ?? 0;
const call = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port()}${path}`, init);
const faults = (headers: Record<string, string>, body: unknown = { publish: 'hang' }) =>
  call('/apps/chat-api/faults', { method: 'POST', headers, body: JSON.stringify(body) });
const publishing = () => pair.standIn.state().apps.find(({ app_id }) => app_id === 'chat-api')?.publish;

describe('the control port', () => {
  // What any page of the web can have a browser send without asking first.
  test.each<[string, Record<string, string>]>([
    ['nothing', { 'content-type': 'text/plain' }],
    ['another token', { authorization: 'Bearer guessed' }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['the token of the services', { authorization: 'Bearer token of the services' }],
  ])('does nothing for who shows %s', async (_name, headers) => {
    expect((await faults(headers)).status).toBe(401);
    expect((await call('/state', { headers })).status).toBe(401);
    expect(publishing()).toBe('ok');
  });

  test.each(['https://evil.example', 'null', 'http://localhost:8080'])(
    'does nothing for a page of %s',
    async (origin) => {
      expect((await faults({ authorization, origin })).status).toBe(403);
      expect((await call('/healthz', { headers: { origin } })).status).toBe(403);
      expect(publishing()).toBe('ok');
    },
  );

  test('does what it is told by who has the token', async () => {
    expect(await (await faults({ authorization })).json()).toMatchObject([{ publish: 'hang' }]);
    expect((await call('/state', { headers: { authorization } })).status).toBe(200);
    await faults({ authorization }, { publish: 'ok' });
    expect(publishing()).toBe('ok');
  });

  test('tells everybody that it is there', async () => {
    expect((await call('/healthz')).status).toBe(204);
    expect((await call('/nowhere', { headers: { authorization } })).status).toBe(404);
  });
});

test.each([
  ['the control port', port, '/state'],
  ['a sidecar', () => pair.standIn.port('chat-api'), '/v1.0/metadata'],
])('%s answers to no name but those of the loopback', async (_name, portOf, path) => {
  const headers = `Authorization: ${authorization}\r\nDapr-Api-Token: token of the services\r\nConnection: close`;
  const ask = (host: string) => said(portOf(), `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n\r\n`);
  for (const host of ['evil.example', `evil.example:${portOf()}`]) expect(await ask(host)).toStartWith('HTTP/1.1 421 ');
  for (const host of ['localhost', `127.0.0.1:${portOf()}`, '']) expect(await ask(host)).toStartWith('HTTP/1.1 200 ');
});
