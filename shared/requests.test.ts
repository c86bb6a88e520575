import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { Type as t } from '@sinclair/typebox';
import { partsOf } from '../test/support/parts.ts';
import { said } from '../test/support/raw.ts';
import { baseConfig } from './config.ts';
import { connect } from './db.ts';
import { ApiError } from './errors.ts';
import { frame } from './frame.ts';
import { createLog } from './log.ts';

// Over a real socket, since Bun's own router takes what `app.handle` would.

const lines: Record<string, unknown>[] = [];
const log = createLog('audit-logger', {
  level: 'debug',
  write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
});
const sql = connect('postgres://nobody@127.0.0.1:1/none', { name: 'test', max: 1 });
const schema = t.Object({ ...baseConfig, PORT: t.Integer({ default: 0 }) });
const parts = partsOf('audit-logger', schema, { sql, log });
const app = frame(parts)
  .get('/things/:id', ({ set }) => {
    set.status = 203;
    return 'one';
  })
  .get('/refused', () => {
    throw new ApiError(409, 'CONFLICT', 'no');
  })
  .get('/stream', () => new Response(new ReadableStream({ start: (controller) => controller.enqueue('begun') })))
  .listen({ hostname: '127.0.0.1', port: 0 });
const port = app.server?.port ?? 0;
afterAll(async () => {
  await app.stop(true);
  await sql.end();
});
beforeEach(() => void lines.splice(0));

const id = '0f7b3b52-6d0f-4f5d-9d3e-0a2b8c1d4e5f';
const ask = (path: string, method = 'GET') =>
  said(port, `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nX-Correlation-Id: ${id}\r\nConnection: close\r\n\r\n`);

/** `method route status count`, of the histogram. */
async function counts(): Promise<string[]> {
  const text = await parts.metrics.text();
  return [...text.matchAll(/^http_server_request_duration_seconds_count\{(.*)\} (\d+)$/gm)].map(([, labels, count]) => {
    const label = (name: string) => new RegExp(`${name}="(.*?)"`).exec(labels ?? '')?.[1];
    return `${label('http_request_method')} ${label('http_route')} ${label('http_response_status_code')} ${count}`;
  });
}

test('a request is measured by the pattern of its route, its method and status', async () => {
  await ask('/things/1?title=secret');
  await ask('/things/2');
  await ask('/things/2', 'HEAD');
  await ask('/refused');
  expect(await counts()).toEqual(['GET /things/:id 203 2', 'HEAD /things/:id 203 1', 'GET /refused 409 1']);
});

test('what nobody has a route for, and made-up methods, add no series of their own', async () => {
  for (const path of ['/wp-admin', '/.env', '//x']) await ask(path);
  for (const method of ['PROPFIND', 'REPORT']) await ask('/things/1', method);
  await ask('/things/1', 'POST');
  const before = await counts();
  expect(before.filter((series) => /  40[45] /.test(series)).map((series) => series.replace(/ \d+$/, ''))).toEqual([
    'GET  404',
    '_OTHER  405',
    'POST  405',
  ]);
});

test('one that asks for somebody else, which no route sees, is measured too', async () => {
  await said(port, 'GET /things/1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
  expect(await counts()).toContain('GET  421 1');
});

test('a stream is measured when it begins, not when it ends', async () => {
  const response = await fetch(`http://127.0.0.1:${port}/stream`);
  expect(await counts()).toContain('GET /stream 200 1');
  await response.body?.cancel();
});

describe('the line of a request', () => {
  test('has its route, status, time and correlation id, and nothing of what was asked', async () => {
    await ask('/things/private-id?title=secret');
    expect(lines).toEqual([
      {
        time: expect.any(String),
        level: 'info',
        service: 'audit-logger',
        message: 'request',
        method: 'GET',
        route: '/things/:id',
        status: 203,
        ms: expect.any(Number),
        correlation_id: id,
      },
    ]);
  });

  test.each(['/health/live', '/health/ready', '/metrics'])('is for debugging, of %s', async (path) => {
    await ask(path);
    expect(lines).toMatchObject([{ level: 'debug', message: 'request', route: path }]);
  });
});
