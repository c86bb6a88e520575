import { afterAll, describe, expect, test } from 'bun:test';
import { createLog } from '#shared/log';
import { createLoop } from '#shared/loop';
import { eventually } from '../../test/support/wait.ts';
import { addMonth, createPartitions, monthsAhead } from './partitions.ts';
import { setUp } from './fixture.ts';

const { database, sql, close } = await setUp();
afterAll(close);

const months = async () => {
  const rows = await database.sql`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'task_events'::regclass order by 1`;
  return rows.map(({ name }) => name);
};

function partitionsAt(now: string) {
  const lines: string[] = [];
  const log = createLog('audit-logger', { write: (line) => lines.push(JSON.parse(line).message) });
  const job = createPartitions({ sql, now: () => Date.parse(now) });
  return { lines, runOnce: job.runOnce, ...createLoop(job, log) };
}

test('monthsAhead begins with the UTC month and passes the turn of the year', () => {
  expect(monthsAhead(new Date('2026-10-31T23:59:59Z'))).toEqual([
    '2026-10-01',
    '2026-11-01',
    '2026-12-01',
    '2027-01-01',
  ]);
});

describe('partitions', () => {
  test('are made three months ahead, and made once by any number of replicas', async () => {
    const replicas = Array.from({ length: 3 }, () => partitionsAt('2026-11-30T12:00:00Z'));
    await Promise.all(replicas.map(({ runOnce }) => runOnce()));
    await replicas[0]?.runOnce();
    expect(await months()).toEqual(['2026_11', '2026_12', '2027_01', '2027_02'].map((month) => `task_events_${month}`));
  });

  test('are made at the start', async () => {
    const partitions = partitionsAt('2028-01-15T00:00:00Z');
    partitions.start();
    await eventually(async () => (await months()).includes('task_events_2028_04'));
    await partitions.stop();
  });

  test('that a lock prevents are given up soon, and that is said once', async () => {
    const [locked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const holder = database.sql.begin(async (tx) => {
      await tx`lock table task_events in share update exclusive mode`;
      locked.resolve();
      await release.promise;
    });
    await locked.promise;
    const partitions = partitionsAt('2029-01-01T00:00:00Z');
    partitions.start();
    await eventually(() => partitions.lines.length > 0);
    await partitions.stop();
    release.resolve();
    await holder;
    expect(partitions.lines).toEqual(['loop degraded']);
    expect(await months()).not.toContain('task_events_2029_01');
  });

  test('belong to the role that cannot log in, so that the service cannot change its trail', async () => {
    await addMonth(sql, '2027-06-15');
    const rows = await database.sql`select tableowner from pg_tables where tablename = 'task_events_2027_06'`;
    expect([...rows]).toEqual([{ tableowner: 'taskflow_audit_owner' }]);
    await expect(sql`delete from task_events`.execute()).rejects.toMatchObject({ code: '42501' });
  });
});
