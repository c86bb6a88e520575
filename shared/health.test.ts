import { describe, expect, test } from 'bun:test';
import { health } from './health.ts';
import { createMetrics } from './metrics.ts';

const about = { service: 'test', version: '1.2.3', commit: 'abc' };
const ok = async () => {};
const broken = () => Promise.reject(new Error('connection refused'));

async function get(path: string, checks: Pick<Parameters<typeof health>[0], 'ready' | 'degraded'>) {
  const metrics = createMetrics('test', about);
  const response = await health({ ...about, ...checks, metrics }).handle(new Request(`http://localhost${path}`));
  return { status: response.status, text: await response.text() };
}

describe('GET /health/ready', () => {
  test('is 200 when all that is needed answers', async () => {
    const { status, text } = await get('/health/ready', { ready: { database: ok }, degraded: { broker: ok } });
    expect([status, JSON.parse(text)]).toEqual([
      200,
      { status: 'ready', ...about, checks: { database: 'ok', broker: 'ok' } },
    ]);
  });

  test('is 503 with the reason of each that does not', async () => {
    const { status, text } = await get('/health/ready', { ready: { database: broken, sidecar: ok } });
    expect([status, JSON.parse(text).checks]).toEqual([503, { database: 'connection refused', sidecar: 'ok' }]);
  });

  test('stays 200 but says degraded when only something useful is missing', async () => {
    const { status, text } = await get('/health/ready', { ready: { database: ok }, degraded: { broker: broken } });
    expect([status, JSON.parse(text).status]).toEqual([200, 'degraded']);
  });

  test('does not wait for a dependency that hangs', async () => {
    const { status, text } = await get('/health/ready', { ready: { database: () => new Promise(() => {}) } });
    expect([status, JSON.parse(text).checks.database]).toEqual([503, 'no answer within 500 ms']);
  });
});

test('GET /health/live looks at nothing', async () => {
  const { status, text } = await get('/health/live', { ready: { database: broken } });
  expect([status, JSON.parse(text)]).toEqual([200, { status: 'live', ...about }]);
});

test('GET /metrics tells version and commit', async () => {
  const { text } = await get('/metrics', { ready: {} });
  expect(text).toContain('taskflow_build_info{version="1.2.3",commit="abc",service="test"} 1');
});
