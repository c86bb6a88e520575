import { describe, expect, test } from 'bun:test';
import { completed } from './database-url.ts';
import { Refusal } from '../machine/refusal.ts';

describe('completed', () => {
  const all = {
    PGHOST: 'db',
    PGPORT: '5433',
    PGUSER: 'me',
    PGPASSWORD: 'p@ss%41',
    PGDATABASE: 'x',
    PGSSLMODE: 'require',
  };

  test.each<[string, Record<string, string>, string]>([
    ['postgres://me:pw@db:5433/x?sslmode=require', {}, 'postgres://me:pw@db:5433/x?sslmode=require'],
    ['postgres://me@db/x', { PGPASSWORD: 'p@ss%41' }, 'postgres://me:p%40ss%2541@db/x'],
    ['postgres://', all, 'postgres://me:p%40ss%2541@db:5433/x?sslmode=require'],
    ['postgres:///x', { PGHOST: '::1' }, 'postgres://[::1]/x'],
    ['postgres:///x', {}, 'postgres://localhost/x'],
    ['postgresql://me@db', {}, 'postgresql://me@db/me'],
  ])('%s with %j is %s', (url, environment, whole) => {
    expect(completed(url, environment)).toBe(whole);
  });

  test('what the URL says itself stands', () => {
    const url = 'postgres://you:own@host:1/mine?ssl=verify-full';
    expect(completed(url, all)).toBe(url);
  });

  test.each<[string, Record<string, string>, string]>([
    ['postgres://me:secret@db:x/y', {}, 'DATABASE_URL is not a URL'],
    ['postgres:///x', { PGHOST: '/var/run/postgresql' }, 'DATABASE_URL names no host, and PGHOST is a socket'],
  ])('refuses %s with %j, and does not print it', (url, environment, message) => {
    const complete = () => completed(url, environment);
    expect(complete).toThrow(Refusal);
    expect(complete).toThrow(message);
    expect(complete).not.toThrow('secret');
  });
});
