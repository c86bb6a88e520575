import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createLog } from '#shared/log';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { createBatch } from './batch.ts';
import type { Store } from './create.ts';
import { startApi } from './fixture.ts';

let database: TestDatabase;
let api: ReturnType<typeof startApi>;
beforeAll(async () => {
  database = await createDatabase();
  api = startApi(database);
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});

describe('createBatch', () => {
  test('lets what is stored keep its result beside an item that fails for a reason of ours', async () => {
    const lines: string[] = [];
    const log = createLog('test', { write: (line) => lines.push(line) });
    const store: Store = async ([change]) => {
      if (change?.row.title === 'two') throw new Error('a bug');
    };
    const results = await createBatch(api.sql, store, { ...facts(['one', 'two', 'three']), log });
    expect(results.map(({ status }) => status)).toEqual([201, 500, 201]);
    expect(results[1]).toMatchObject({ code: 'INTERNAL_ERROR' });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'item of a batch failed', level: 'error' },
    ]);
    expect(JSON.stringify(results)).not.toContain('a bug');
  });

  test('lets others have their turn while it searches for the dates of many rare rules', async () => {
    let turns = 0;
    const ticking = setInterval(() => turns++, 1);
    const items = Array.from({ length: 100 }, (_, day) => ({
      title: 'rare',
      due_date: new Date(Date.UTC(2026, 11, 27 + day)).toISOString(),
      timezone: 'UTC',
      recurrence_pattern: 'rrule:FREQ=DAILY;BYMONTH=12;BYMONTHDAY=25;BYDAY=WE',
    }));
    try {
      const log = createLog('test');
      const results = await createBatch(api.sql, async () => {}, { ...facts([]), items, log });
      expect(results.map(({ status }) => status)).toEqual(Array(100).fill(201));
      expect(turns).toBeGreaterThan(5);
    } finally {
      clearInterval(ticking);
    }
  });
});

function facts(titles: string[]) {
  const userId = crypto.randomUUID();
  const cause = {
    actor: { type: 'user', id: userId } as const,
    correlationId: userId,
    traceparent: null,
    now: new Date(),
  };
  return {
    userId,
    takeRoom: () => {},
    computing: async <T>(work: () => T) => work(),
    items: titles.map((title) => ({ title })),
    cause,
  };
}
