import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { accounts } from './accounts.ts';
import { type Client, createClient } from './fixtures/client.ts';
import { targets } from './fixtures/start.ts';
import { tasks } from './tasks.ts';

// The Phase IV contract over HTTP alone, against any server: PHASE4_URL=http://host:port bun test test/phase4

for (const target of targets) {
  describe(`Phase IV on ${target.name}`, () => {
    let server: Awaited<ReturnType<typeof target.start>> | undefined;
    let client: Client | undefined;
    const started = (): Client => {
      if (!client) throw new Error('the server did not start');
      return client;
    };
    beforeAll(async () => {
      server = await target.start();
      client = createClient(server.url);
    }, 30_000);
    afterAll(() => server?.stop(), 30_000);

    test('GET /health says healthy and which version', async () => {
      const answer = await started().call('GET', '/health');
      expect(answer.status).toBe(200);
      expect(answer.json).toEqual({ status: 'healthy', version: expect.any(String) });
    });
    accounts(started);
    tasks(started);
  });
}
