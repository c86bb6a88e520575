import { afterAll, describe, expect, test } from 'bun:test';
import type { ApiDocument, Operation } from '#shared/openapi';
import type { AppId } from '../../services/local/machine/apps.ts';
import { startApps } from '../support/apps.ts';

// The documents as the real apps give them: what an app adds before its routes may hide something from the generator.

const [phase5, phase4] = [startApps(), startApps({ EVENTS: 'off' })];
afterAll(() => Promise.all([phase5.stop(), phase4.stop()]));

/** Calls that change something and take no body. */
const bodiless = [
  'POST /api/v1/auth/logout',
  'POST /api/v1/tasks/{id}/acknowledge',
  'POST /api/v1/notifications/{id}/read',
  'POST /api/v1/notifications/read-all',
];

describe.each<[name: string, AppId, string, typeof phase5]>([
  ['chat-api', 'chat-api', '/api/v1', phase5],
  ['chat-api with EVENTS=off', 'chat-api', '/api/v1', phase4],
  ['notification-service', 'notification-service', '/api/v1/notifications', phase5],
  ['reminder-service', 'reminder-service', '/api/v1/reminders', phase5],
  ['audit-logger', 'audit-logger', '/api/v1/audit', phase5],
])('the document of %s', (_name, appId, path, running) => {
  async function operations(): Promise<[call: string, operation: Operation][]> {
    const answer = await fetch(`http://127.0.0.1:${running.portOf(appId)}${path}/openapi.json`);
    const { paths } = (await answer.json()) as ApiDocument;
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
    ) as [string, Operation][];
  }

  test('has a body, as JSON with its fields, for each call that takes one, and for no other', async () => {
    for (const [call, { requestBody }] of await operations()) {
      const takesNone = /^(GET|DELETE) /.test(call) || bodiless.includes(call);
      const schema = requestBody?.content['application/json']?.schema;
      const fields = [schema, ...(schema?.anyOf ?? [])].flatMap((part) => Object.keys(part?.properties ?? {}));
      expect([call, fields.length > 0, Object.keys(requestBody?.content ?? {})]).toEqual(
        takesNone ? [call, false, []] : [call, true, ['application/json']],
      );
    }
  });

  test('says of each call what may come back', async () => {
    for (const [call, { responses = {} }] of await operations()) {
      expect([call, Object.keys(responses).some((status) => status.startsWith('2'))]).toEqual([call, true]);
      for (const { description = '', content = {} } of Object.values(responses)) {
        expect([call, description]).not.toEqual([call, '']);
        expect([call, Object.keys(content).filter((type) => !type.includes('/'))]).toEqual([call, []]);
      }
    }
  });

  test('has the calls that people make, and no other', async () => {
    const methods = new Set((await operations()).map(([call]) => call.split(' ')[0] ?? ''));
    expect([...methods].filter((method) => !['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(method))).toEqual([]);
  });
});
