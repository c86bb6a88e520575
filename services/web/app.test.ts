import { beforeAll, describe, expect, test } from 'bun:test';
import { createMetrics } from '#shared/metrics';
import { createApp } from './app.ts';
import { buildSite } from './build.ts';
import { createSite } from './site.ts';

let answer: ReturnType<typeof createApp>;
let isStopping = false;
beforeAll(async () => {
  const metrics = createMetrics('web', { version: '0.0.0', commit: 'test' });
  const facts = { version: '0.0.0', commit: 'test', metrics, isStopping: () => isStopping };
  answer = createApp(createSite(await buildSite()), facts);
});
const ask = (path: string, init?: RequestInit) => answer(new Request(`http://localhost${path}`, init));

describe('the page in a cluster', () => {
  test('answers the probes, ready until it is stopped', async () => {
    expect(await (await ask('/health/live')).json()).toEqual({
      status: 'live',
      service: 'web',
      version: '0.0.0',
      commit: 'test',
    });
    expect((await ask('/health/ready')).status).toBe(200);
    for (const path of ['/health', '/health/live', '/health/ready', '/metrics'])
      expect((await ask(path)).headers.get('cache-control')).toBe('no-store');
    expect(await (await ask('/health')).json()).toEqual({
      status: 'healthy',
      services: { web: { status: 'ready', service: 'web', version: '0.0.0', commit: 'test', checks: {} } },
    });
    isStopping = true;
    const response = await ask('/health/ready');
    expect([response.status, await response.json()]).toMatchObject([503, { status: 'unready' }]);
    isStopping = false;
  });

  test('counts under its own name', async () => {
    expect(await (await ask('/metrics')).text()).toContain(
      'taskflow_build_info{version="0.0.0",commit="test",service="web"} 1',
    );
  });

  test('serves the page, offers no demo user, and knows nothing else', async () => {
    expect(await (await ask('/')).text()).toContain('<html lang="en">');
    for (const path of ['/api/v1/tasks', '/local/demo-login', '/nowhere']) {
      const response = await ask(path);
      expect([response.status, await response.json()]).toMatchObject([404, { code: 'NOT_FOUND' }]);
    }
  });

  test('takes no method that would change something', async () => {
    const response = await ask('/', { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
