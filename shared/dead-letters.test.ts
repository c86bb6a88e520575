import { afterAll, describe, expect, test } from 'bun:test';
import { createDatabase } from '../test/support/database.ts';
import { connect } from './db.ts';
import { createDeadLetterPurge, createDeadLetters } from './dead-letters.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';

const DAY = 86_400_000;
const database = await createDatabase();
const sql = connect(database.url('audit-logger'), { name: 'test', max: 2 });
const log = createLog('test', { write: () => {} });
afterAll(async () => {
  await sql.end();
  await database.drop();
});

const stored = async () => {
  const rows = await database.sql<{ event_id: string }[]>`select event_id from dead_letters order by event_id`;
  return rows.map(({ event_id }) => event_id);
};

describe('store', () => {
  const metrics = createMetrics('test', { version: '0', commit: '0' });
  const { store } = createDeadLetters({ sql, appId: 'audit-logger', log, metrics });

  test.each([
    [
      'an id that no index holds',
      { id: crypto.getRandomValues(new Uint8Array(5000)).toHex(), topic: 'x'.repeat(9000) },
    ],
    ['the deepest JSON that a sidecar takes', JSON.parse('['.repeat(10_000) + ']'.repeat(10_000))],
    ['nothing at all', null],
  ])('keeps %s', async (_what, envelope) => {
    const before = (await stored()).length;
    await store([{ envelope, metadata: {} }]);
    expect(await stored()).toHaveLength(before + 1);
  });

  test('keeps many by one statement, those of one id once', async () => {
    const before = (await stored()).length;
    const letters = ['a', 'b', 'a'].map((id) => ({ envelope: { id: `one of many: ${id}` }, metadata: {} }));
    await store(letters);
    await store(letters);
    expect(await stored()).toHaveLength(before + 2);
  });
});

test('purging takes what is older than 90 days, of this consumer alone', async () => {
  await database.sql`delete from dead_letters`;
  const now = Date.UTC(2026, 10, 24);
  for (const [appId, eventId, days] of [
    ['audit-logger', 'old', 90.01],
    ['audit-logger', 'young', 89.99],
    ['chat-api', 'of another', 200],
  ] as const) {
    await database.sql`
      insert into dead_letters (app_id, event_id, topic, envelope, stored_at)
      values (${appId}, ${eventId}, 'x', 'null', ${new Date(now - days * DAY)})`;
  }
  await createDeadLetterPurge({ sql, appId: 'audit-logger', log, now: () => now }).runOnce();
  expect(await stored()).toEqual(['of another', 'young']);
});
