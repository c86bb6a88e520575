import postgres from 'postgres';
import type { RunningStack } from '../support/stack.ts';
import { cpuOf } from './cpu.ts';
import type { Connections } from '../../services/notification-service/stream/connections.ts';
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

const LOOKS = 10;

/** The two looks that a replica makes for all its streams, every 1.5 s and every 0.8 s, whatever happens. */
export async function reportLooks(stack: RunningStack, people: Member[], report: Report): Promise<void> {
  const { sql } = stack.database;
  const streams = people.map(({ sid }) => ({ principal: { sid }, advance() {} }));
  const audiences = people.map(({ id: userId }) => ({ userId, head: 2 ** 40, level: 'all' })); // nothing is new
  const connections = { all: () => streams, audiences: () => audiences } as unknown as Connections; // no more is asked
  report.table(`one look for ${people.length} streams`, `${LOOKS} looks`);
  const looks = {
    'for rows of others': () => lookForRows({ sql: sql as never, connections }),
    'for sessions that ended': () => endUnauthorized({ sql: sql as never, connections }, new Date()),
  };
  for (const [what, look] of Object.entries(looks)) {
    await look(); // prepared
    const before = await cpuOf(stack);
    for (let i = 0; i < LOOKS; i++) await look();
    const after = await cpuOf(stack);
    const ms = ((after.get('Postgres') ?? 0) - (before.get('Postgres') ?? 0)) / LOOKS;
    report.row({ what: `Postgres's CPU, ${what}`, unit: 'ms', rounds: [ms] });
  }
}
