import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../../../test/support/wait.ts';
import { CREATED, startPair, startToyApp } from './fixture.ts';

const TOKEN = 'token of the switchboard';
let consumer: ReturnType<typeof startToyApp>;
let pair: Awaited<ReturnType<typeof startPair>>;

beforeAll(async () => {
  consumer = startToyApp();
  pair = await startPair(consumer, { control: { port: 0, token: TOKEN } });
});

afterAll(async () => {
  await pair.close();
  await consumer.stop();
});

const delivered = (data: string) => eventually(() => consumer.received.some(({ envelope }) => envelope.data === data));

const control = (path: string, body: unknown): Promise<Response> =>
  fetch(`http://127.0.0.1:${pair.standIn.controlPort}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify(body),
  });

/** Asks chat-api's own sidecar. */
const call = (path: string, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${pair.standIn.port('chat-api')}${path}`, init);

const publish = (data: string, init: RequestInit = {}) =>
  call(`/v1.0/publish/taskflow-pubsub/${CREATED}`, { method: 'POST', body: data, ...init });

async function refusal(response: Response): Promise<[status: number, errorCode: string]> {
  const { errorCode } = (await response.json()) as { errorCode: string };
  return [response.status, errorCode];
}

// What a publish makes of each body, topic and app is in test/conformance.
describe('publish faults', () => {
  test('hang keeps the publisher waiting and writes in the end, even when it gave up', async () => {
    await control('/apps/chat-api/faults', { publish: 'hang' });
    const patient = publish('patient');
    const impatient = publish('impatient', { signal: AbortSignal.timeout(1000) });
    await expect(impatient).rejects.toThrow('timed out');
    expect(consumer.received.map(({ envelope }) => envelope.data)).not.toContain('patient');
    await control('/apps/chat-api/faults', { publish: 'ok' });
    expect((await patient).status).toBe(204);
    await delivered('patient');
    await delivered('impatient');
  });

  test('fail answers 500; absent answers 404 and metadata does not name the component', async () => {
    await control('/apps/chat-api/faults', { publish: 'fail' });
    expect(await refusal(await publish('{}'))).toEqual([500, 'ERR_PUBSUB_PUBLISH_MESSAGE']);
    await control('/apps/chat-api/faults', { publish: 'absent' });
    expect(await refusal(await publish('{}'))).toEqual([404, 'ERR_PUBSUB_NOT_FOUND']);
    expect(await (await call('/v1.0/metadata')).json()).not.toHaveProperty('components');
    await control('/apps/chat-api/faults', { publish: 'ok' });
    expect((await publish('{}')).status).toBe(204);
  });

  test('the switchboard refuses what it does not know', async () => {
    for (const body of [{ publish: 'explode' }, { slow: 3 }, { slow_ms: -1 }, []])
      expect((await control('/apps/chat-api/faults', body)).status).toBe(400);
    expect((await control('/apps/nobody/faults', { slow_ms: 1 })).status).toBe(400);
    expect((await fetch(`http://127.0.0.1:${pair.standIn.controlPort}/healthz`)).status).toBe(204);
  });
});
