import type { Sql } from '#shared/db';
import type { Level } from './model.ts';

/** Everything, unless the user chose otherwise. */
export async function readLevel(sql: Sql, userId: string): Promise<Level> {
  const [row] = await sql<{ level: Level }[]>`select level from notification_preferences where user_id = ${userId}`;
  return row?.level ?? 'all';
}

export async function writeLevel(sql: Sql, userId: string, level: Level): Promise<void> {
  await sql`
    insert into notification_preferences (user_id, level) values (${userId}, ${level})
    on conflict (user_id) do update set level = excluded.level, updated_at = now()`;
}
