import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { consumers, events } from '#shared/events';
import { type RunningStack, startStack } from '../support/stack.ts';

const LISTED = 'https://app.example';
const publicServices = ['chat-api', 'notification-service', 'reminder-service', 'audit-logger'] as const;

let stack: RunningStack;
beforeAll(async () => {
  const CORS_ORIGINS = `${LISTED}, https://other.example`;
  const settings = Object.fromEntries(publicServices.map((appId) => [appId, { CORS_ORIGINS }]));
  stack = await startStack({ only: publicServices, settings });
});
afterAll(() => stack?.stop());

describe.each([
  ['/api/v1/tasks'],
  ['/api/v1/notifications/stream'],
  ['/api/v1/notifications'],
  ['/api/v1/reminders/next'],
  ['/api/v1/audit/events'],
])('CORS of %s', (path) => {
  const preflight = (origin: string) =>
    fetch(stack.url(path), {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'last-event-id' },
    });

  test('lets a listed origin ask first, with credentials and the headers of our clients', async () => {
    const { status, headers } = await preflight(LISTED);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(LISTED);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('access-control-allow-headers')).toContain('Last-Event-ID');
  });

  test('lets it read refusals too', async () => {
    const { status, headers } = await fetch(stack.url(path), { headers: { origin: LISTED } });
    expect(status).toBe(401);
    expect(headers.get('access-control-allow-origin')).toBe(LISTED);
    expect(headers.get('access-control-expose-headers')).toContain('X-Correlation-Id');
  });

  test.each(['https://evil.example', 'http://app.example', `${LISTED}.evil.example`, 'null'])(
    'names no origin to %s',
    async (origin) => {
      for (const answer of [await preflight(origin), await fetch(stack.url(path), { headers: { origin } })]) {
        expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      }
    },
  );
});

// Refused for its length (413) it would be offered again without end.
test.each(publicServices)('%s takes a delivery of 2 MiB, and keeps what it cannot handle', async (appId) => {
  const { route } = events[consumers[appId][0]];
  const response = await fetch(`http://127.0.0.1:${stack.ports[appId]}${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json', 'dapr-api-token': stack.secrets.APP_API_TOKEN },
    body: JSON.stringify({ id: appId, data: 'x'.repeat(2 * 1024 * 1024) }),
  });
  expect({ status: response.status, body: await response.json() }).toEqual({
    status: 200,
    body: { status: 'SUCCESS' },
  });
  const letters = await stack.database.sql`select app_id from dead_letters where event_id = ${appId}`;
  expect([...letters]).toEqual([{ app_id: appId }]);
});
