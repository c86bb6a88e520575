import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type AppId, perApp } from './machine/apps.ts';
import { makeSecrets } from './state/secrets.ts';
import { refuseBadSettings, serviceEnvironment, serviceSettings, type Stack } from './stack.ts';

const stack: Stack = {
  secrets: makeSecrets(),
  databaseUrl: (appId) => `postgres://${appId}:password@127.0.0.1/taskflow`,
  ports: perApp(() => 1),
  sidecarPorts: perApp(() => 2),
  publicUrl: 'http://localhost:8080',
  commit: 'test',
};

/** What the user has exported. */
const exported = { AWS_SECRET_ACCESS_KEY: 'x', PGPASSWORD: 'x', OPERATOR: 'olga', PORT: '1234', TICK_SECONDS: '7' };
let before: typeof process.env;
beforeEach(() => {
  before = { ...process.env };
  Object.assign(process.env, exported);
});
afterEach(() => {
  for (const name of Object.keys(exported)) delete process.env[name];
  Object.assign(process.env, before);
});

describe('serviceSettings', () => {
  test.each<[AppId, string[]]>([
    ['chat-api', ['APP_API_TOKEN', 'DAPR_API_TOKEN', 'JWT_SECRET', 'SERVICE_TOKEN']],
    ['notification-service', ['APP_API_TOKEN', 'DAPR_API_TOKEN', 'JWT_SECRET']],
    ['reminder-service', ['APP_API_TOKEN', 'DAPR_API_TOKEN', 'JWT_SECRET']],
    ['audit-logger', ['APP_API_TOKEN', 'AUDIT_SEAL_KEY', 'DAPR_API_TOKEN', 'JWT_SECRET']],
    ['recurring-task-processor', ['DAPR_API_TOKEN', 'SERVICE_TOKEN']],
  ])('%s has no secrets but its own', (appId, own) => {
    const secrets = new Set(Object.values(stack.secrets));
    const settings = Object.entries(serviceSettings(stack, appId));
    expect(settings.flatMap(([name, value]) => (secrets.has(value) ? [name] : [])).toSorted()).toEqual(own);
  });

  test('takes a setting that the user exported where the service has one of that name', () => {
    expect(serviceSettings(stack, 'recurring-task-processor')).toHaveProperty('TICK_SECONDS', '7');
    expect(serviceSettings(stack, 'chat-api')).not.toHaveProperty('TICK_SECONDS');
  });

  test('leaves what is of `up` itself, or of who runs ops', () => {
    expect(serviceSettings(stack, 'chat-api')).toMatchObject({ PORT: '1', DAPR_HTTP_PORT: '2' });
    expect(serviceSettings(stack, 'chat-api')).not.toHaveProperty('OPERATOR');
  });
});

test('serviceEnvironment is what a process needs and these settings', () => {
  const environment = serviceEnvironment(stack, 'chat-api');
  expect(environment).toMatchObject({ PATH: process.env.PATH, ...serviceSettings(stack, 'chat-api') });
  expect(Object.keys(environment).filter((name) => /^(AWS|PG)/.test(name))).toEqual([]);
});

test('refuseBadSettings names each setting that no service could start with, once', () => {
  const good = { ...stack, publicUrl: 'http://localhost:8080' };
  expect(() => refuseBadSettings(good)).not.toThrow();
  Object.assign(process.env, { LOG_LEVEL: 'banana', SIGNUP: 'maybe' });
  const lines: string[] = [];
  try {
    refuseBadSettings(good);
  } catch (error) {
    lines.push(...String(error).split('\n'));
  } finally {
    delete process.env.LOG_LEVEL;
    delete process.env.SIGNUP;
  }
  expect(lines).toEqual([
    expect.stringMatching(/^Refusal: LOG_LEVEL: .*\(debug, info, warn or error\), got "banana"$/),
    expect.stringMatching(/^SIGNUP: .*got "maybe"$/),
  ]);
});
