import type { Sql } from '#shared/db';
import { ApiError } from '#shared/errors';
import { createRecent } from '#shared/rate-limit';

export type TaskQuota = ReturnType<typeof createTaskQuota>;
/** Takes room for one task more. @throws {ApiError} 409 QUOTA_EXCEEDED */
export type TakeRoom = () => void;

/** A count is trusted for so long: what other replicas create, and what is deleted, is seen then. */
const COUNTED_MS = 60_000;
/** Where there is no room it is counted anew after this: tasks may have been deleted. */
const FULL_MS = 1000;
/** Of the users whose room is known. */
const MAX_USERS = 10_000;

interface Room {
  /** When the count began. */
  at: number;
  counted: Promise<void>;
  /** Known once it is counted. */
  left: number;
}

/**
 * How many tasks a user may have. A series counts as one and its instances do not, since they come by themselves, and of a
 * series no more than its next 53. Counted in the database once a minute for who creates (30 ms for 100,000 tasks), and kept account
 * of in between.
 */
export function createTaskQuota({ sql, limit, now = Date.now }: { sql: Sql; limit: number; now?: () => number }) {
  const rooms = createRecent<Room>(MAX_USERS);

  /** One count serves all who ask meanwhile. */
  function roomOf(userId: string): Room {
    const known = rooms.get(userId);
    if (known && now() - known.at < (known.left > 0 ? COUNTED_MS : FULL_MS)) return known;
    const room: Room = { at: now(), left: 0, counted: count(userId).then((tasks) => void (room.left = limit - tasks)) };
    rooms.set(userId, room);
    room.counted.catch(() => rooms.delete(userId));
    return room;
  }

  async function count(userId: string): Promise<number> {
    const [row] = await sql<{ tasks: number }[]>`
      select count(*) as tasks from tasks where user_id = ${userId} and parent_recurring_task_id is null`;
    return row?.tasks ?? 0;
  }

  return {
    /** Ask before a transaction begins: it would hold one connection and wait for another. */
    async roomOf(userId: string): Promise<TakeRoom> {
      const room = roomOf(userId);
      await room.counted;
      return () => {
        if (room.left <= 0)
          throw new ApiError(409, 'QUOTA_EXCEEDED', `You have ${limit} tasks, which is the most. Delete some first.`);
        room.left -= 1;
      };
    },
  };
}
