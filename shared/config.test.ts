import { describe, expect, test } from 'bun:test';
import { Type as t } from '@sinclair/typebox';
import { apiConfig, baseConfig, ConfigError, listOf, readConfig } from './config.ts';

const schema = t.Object({ ...baseConfig, ...apiConfig, TICK_SECONDS: t.Integer({ default: 300, minimum: 1 }) });
const valid = { PORT: '8000', DATABASE_URL: 'postgres://a@b/c', JWT_SECRET: 'x'.repeat(32), HOME: '/somewhere' };

const refusal = (env: Record<string, string | undefined>) => {
  try {
    readConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('was accepted');
};

describe('readConfig', () => {
  test('converts numbers, applies defaults, drops what it does not know, and is frozen', () => {
    const config = readConfig(schema, { ...valid, TICK_SECONDS: '5' });
    expect(config).toMatchObject({ PORT: 8000, TICK_SECONDS: 5, HOST: '0.0.0.0', LOG_LEVEL: 'info' });
    expect(config).not.toHaveProperty('HOME');
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('an empty value is a missing one', () => {
    expect(readConfig(schema, { ...valid, TICK_SECONDS: '' }).TICK_SECONDS).toBe(300);
  });

  test('names each bad key with what was expected and what was there', () => {
    const lines = refusal({ ...valid, PORT: 'eighty', LOG_LEVEL: 'loud', TICK_SECONDS: '0' }).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines.join('\n')).toContain('PORT: Expected integer (port to listen on), got "eighty"');
    expect(lines.join('\n')).toContain('LOG_LEVEL:');
    expect(lines.join('\n')).toContain('TICK_SECONDS: Expected integer to be greater or equal to 1, got "0"');
  });

  test('refuses a short secret without printing it', () => {
    const message = refusal({ ...valid, JWT_SECRET: 'correct horse' });
    expect(message).toContain('JWT_SECRET');
    expect(message).toContain('a value of 13 characters');
    expect(message).not.toContain('correct');
  });

  test('says what is missing', () => {
    expect(refusal({ ...valid, DATABASE_URL: undefined })).toContain('got nothing');
    for (const password of ['100%', '%E4'])
      expect(refusal({ ...valid, DATABASE_URL: `postgres://me:${password}@db/x` })).toContain(
        'a % in it is written %25',
      );
  });
});

test('listOf splits on commas and forgives blanks', () => {
  expect(listOf(' a@b.c, ,d@e.f,')).toEqual(['a@b.c', 'd@e.f']);
});
