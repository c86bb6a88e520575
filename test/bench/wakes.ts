import postgres from 'postgres';
import { connect } from '#shared/db';
import type { RunningStack } from '../support/stack.ts';
import { cpuOf } from './cpu.ts';
import { silentStreams } from '../../services/notification-service/fixtures/silent-streams.ts';
import { endUnauthorized, lookForRows } from '../../services/notification-service/stream/watch.ts';
import type { Member } from './crowd.ts';
import type { Report } from './report.ts';

const WAKES = 500;

/** NOTIFY wakes every session that listens, and each replica of notification-service is one. */
export async function reportWakes(stack: RunningStack, listeners: number[], report: Report): Promise<void> {
  report.table('a wake that all replicas hear', `${WAKES} NOTIFYs one after the other; beside: with one listener`);
  let alone: number[] | undefined;
  for (const count of listeners) {
    const sessions = Array.from({ length: count }, () => postgres(stack.database.url(), { max: 1, onnotice() {} }));
    try {
      let heard = 0;
      await Promise.all(sessions.map((session) => session.listen('bench', () => void heard++)));
      const before = await cpuOf(stack);
      for (let i = 0; i < WAKES; i++) await stack.database.sql.notify('bench', `${crypto.randomUUID()}:${i}`);
      while (heard < WAKES * count) await Bun.sleep(5);
      const after = await cpuOf(stack);
      const us = (((after.get('Postgres') ?? 0) - (before.get('Postgres') ?? 0)) / WAKES) * 1000;
      alone ??= [us];
      report.row({
        what: `Postgres's CPU, ${count} listeners`,
        unit: 'us',
        rounds: [us],
        beside: { what: 'one', rounds: alone },
      });
    } finally {
      await Promise.all(sessions.map((session) => session.end({ timeout: 1 })));
    }
  }
}

const LOOKS = 30;

/** The two looks that a replica makes for all its streams, every 1.5 s and every 0.8 s, whatever happens. */
export async function reportLooks(stack: RunningStack, people: Member[], report: Report): Promise<void> {
  const { database } = stack;
  await database.sql`
    insert into notification_counters (user_id, last_seq)
    select id, 0 from unnest(${people.map(({ id }) => id)}::uuid[]) as id on conflict do nothing`;
  await database.sql`analyze notification_counters`;
  const sql = connect(database.url('notification-service'), { name: 'looks', max: 1 });
  const connections = silentStreams(
    sql,
    people.map(({ id: userId, sid }) => ({ userId, sid })),
  );
  report.table(`one look for ${people.length} streams`, `${LOOKS} looks; nothing is new`);
  const looks = {
    'for rows of others': () => lookForRows({ sql, connections }),
    'for sessions that ended': () => endUnauthorized({ sql, connections }, new Date()),
  };
  for (const [what, look] of Object.entries(looks)) {
    for (let i = 0; i < LOOKS; i++) await look(); // prepared, and nothing is new any more
    const before = await cpuOf(stack);
    for (let i = 0; i < LOOKS; i++) await look();
    const after = await cpuOf(stack);
    const ms = ((after.get('Postgres') ?? 0) - (before.get('Postgres') ?? 0)) / LOOKS;
    report.row({ what: `Postgres's CPU, ${what}`, unit: 'ms', rounds: [ms] });
  }
  connections.stop();
  await sql.end();
}
