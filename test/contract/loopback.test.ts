import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { apps } from '../../services/local/machine/apps.ts';
import { runToEnd } from '../support/command.ts';
import { openProxy } from '../support/proxy.ts';

// In a cluster whose pods have HTTP_PROXY the tokens for the sidecar must not go to that proxy (CONTRACT 3).

const root = join(import.meta.dir, '../..');
const proxy = openProxy();
const paths: string[] = [];
const sidecar = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request) {
    paths.push(new URL(request.url).pathname);
    return new Response(null, { status: 204 });
  },
});
beforeEach(() => void paths.splice(0));
afterAll(async () => {
  proxy.close();
  await sidecar.stop(true);
});

const secret = 'x'.repeat(32);
const settings = {
  ...proxy.environment,
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  DAPR_HTTP_PORT: String(sidecar.port),
  JWT_SECRET: secret,
  SERVICE_TOKEN: secret,
  AUDIT_SEAL_KEY: secret,
};

/** What a service does with its sidecar, by fetch and by the SDK, once it has read its configuration. */
const asks = (appId: string) => `
  const { configOrExit } = await import('./shared/config.ts');
  const config = configOrExit((await import('./services/${appId}/config.ts')).schema);
  const { checkSidecar, createSidecar } = await import('./shared/dapr.ts');
  const at = { port: config.DAPR_HTTP_PORT, apiToken: 'secret' };
  await checkSidecar(at);
  await (await createSidecar(at)).invoke('chat-api', 'x', {}, {});
  process.exit();`;

describe('a service behind an HTTP proxy calls its sidecar directly', () => {
  test.each(apps.map(({ appId }) => appId))('%s', async (appId) => {
    const script = [process.execPath, '-e', asks(appId)];
    expect(await runToEnd(script, settings, { cwd: root })).toEqual({ out: '', err: '', exitCode: 0 });
    expect(paths).toEqual(['/v1.0/healthz/outbound', '/v1.0/invoke/chat-api/method/x']);
    expect(proxy.requests).toEqual([]);
  });
});
