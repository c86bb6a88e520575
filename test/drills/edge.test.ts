import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { freePorts } from '../../services/local/machine/port.ts';
import { codeOf } from '../../services/local/machine/refusal.ts';
import { bulkOf } from '../support/bulk.ts';
import { eventually } from '../support/wait.ts';
import { type Edge, openEdge } from './edge.ts';

let edge: Edge;
let service: Bun.Server<undefined>;
let status: string;
let answering: Promise<void>;
let received: { method: string; path: string; token: string | null; body: string }[];
beforeEach(() => {
  const [port = 0, target = 0] = freePorts(2);
  edge = openEdge({ port, target, holdMs: 100, hangMs: 50 });
  status = 'SUCCESS';
  answering = Promise.resolve();
  received = [];
  service = Bun.serve({
    hostname: '127.0.0.1',
    port: target,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const token = request.headers.get('dapr-api-token');
      received.push({ method: request.method, path: pathname + search, token, body: await request.text() });
      await answering;
      return Response.json({ status }, { status: 207, headers: { 'x-correlation-id': 'c1' } });
    },
  });
});
afterEach(async () => {
  await edge.goAway();
  await service.stop(true);
});

const deliver = (id = 'e1', path = '/events/created') =>
  fetch(`http://127.0.0.1:${edge.port}${path}`, {
    method: 'POST',
    headers: { 'dapr-api-token': 'secret', 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({ id, data: {} }),
  });

test('refuses a port that another one holds', () => {
  expect(() => openEdge({ port: edge.port, target: 1 })).toThrow('in use');
});

describe('a service that is up', () => {
  test('is passed the whole request, and its whole answer is passed back', async () => {
    const answer = await deliver('e1', '/events/created?a=1');
    expect(received).toEqual([
      { method: 'POST', path: '/events/created?a=1', token: 'secret', body: '{"id":"e1","data":{}}' },
    ]);
    expect([answer.status, answer.headers.get('x-correlation-id'), await answer.json()]).toEqual([
      207,
      'c1',
      { status: 'SUCCESS' },
    ]);
    const health = await fetch(`http://127.0.0.1:${edge.port}/health/live`);
    expect(health.status).toBe(207);
  });

  test('is counted for each event of a batch', async () => {
    await fetch(`http://127.0.0.1:${edge.port}/events/created`, {
      method: 'POST',
      body: JSON.stringify(bulkOf([{ id: 'e1' }, { id: 'e2' }])),
    });
    expect([...edge.taken.keys()]).toEqual(['/events/created e1', '/events/created e2']);
    expect(edge.offered()).toBe(2);
    expect(edge.offers).toEqual([{ events: ['/events/created e1', '/events/created e2'], bytes: expect.any(Number) }]);
  });

  test('is counted for each event that it took, not for what it refused nor for dead letters', async () => {
    await Promise.all([deliver('e1'), deliver('e1'), deliver('e2'), deliver('e1', '/events/updated')]);
    await deliver('e3', '/events/dead-letter');
    status = 'RETRY';
    await deliver('e4');
    expect([...edge.taken].sort()).toEqual([
      ['/events/created e1', 2],
      ['/events/created e2', 1],
      ['/events/updated e1', 1],
    ]);
  });
});

describe('a service in trouble', () => {
  test('answers 500', async () => {
    edge.set('fail');
    expect((await deliver()).status).toBe(500);
  });

  test('holds a delivery for a while, then says RETRY', async () => {
    edge.set('hold');
    const from = performance.now();
    expect(await (await deliver()).json()).toEqual({ status: 'RETRY' });
    expect(performance.now() - from).toBeGreaterThan(99);
    expect(received).toEqual([]);
  });

  test('holds a delivery until it is up again', async () => {
    const [port = 0, target = service.port ?? 0] = freePorts(1);
    await edge.goAway();
    edge = openEdge({ port, target, holdMs: 60_000 });
    edge.set('hold');
    const held = deliver();
    await eventually(() => edge.offered() === 1);
    edge.set('up');
    expect(await (await held).json()).toEqual({ status: 'SUCCESS' });
  });

  test('hangs, and answers when nobody waits any more', async () => {
    edge.set('hang');
    const from = performance.now();
    expect((await deliver()).status).toBe(500);
    expect(performance.now() - from).toBeGreaterThan(49);
    expect(received).toEqual([]);
  });

  test('is away, cuts what is under way, and comes back', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    answering = promise;
    const underWay = deliver().catch(codeOf);
    await eventually(() => received.length === 1);
    await edge.goAway();
    expect(await underWay).toBe('ECONNRESET');
    expect(await deliver().catch(codeOf)).toBe('ECONNREFUSED');
    edge.comeBack();
    resolve();
    expect((await deliver()).status).toBe(207);
  });

  test('that died with the event in its hands may have taken it; one that was not there has not', async () => {
    await service.stop(true);
    expect((await deliver()).status).toBe(502);
    expect(edge.taken.size).toBe(0);
    const dying = () => {
      void service.stop(true);
      return Promise.withResolvers<Response>().promise;
    };
    service = Bun.serve({ hostname: '127.0.0.1', port: service.port ?? 0, fetch: dying });
    expect((await deliver()).status).toBe(502);
    expect(edge.taken.size).toBe(1);
  });
});
