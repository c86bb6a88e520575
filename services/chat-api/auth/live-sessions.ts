import type { Sql } from '#shared/db';
import type { LiveSession, SessionLookup } from '#shared/sessions';

/** In the tables themselves: they are ours, and Phase IV has no functions. */
export const sessionTables = (sql: Sql): SessionLookup => ({
  async byId(sid) {
    const [row] = await sql<LiveSession[]>`${live(sql)} and s.id = ${sid}`;
    return row;
  },
  async byTokenHash(hash) {
    const [row] = await sql<LiveSession[]>`${live(sql)} and s.token_hash = ${hash}`;
    return row;
  },
});

/** As the view `live_sessions`. `role` and `disabled_at` are read through jsonb, since the Phase IV schema has neither. */
const live = (sql: Sql) => sql`
  select s.id, s.user_id, s.kind, s.name, s.scopes, s.expires_at, u.email, to_jsonb(u) ->> 'role' as role
  from sessions s join users u on u.id = s.user_id
  where s.revoked_at is null and coalesce(s.expires_at > now(), true) and to_jsonb(u) ->> 'disabled_at' is null`;
