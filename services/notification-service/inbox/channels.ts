import type { Pool } from '#shared/db';
import type { Log } from '#shared/log';
import { createHints } from './hints.ts';
import type { Row } from './model.ts';

/**
 * A way by which people learn what is in their inbox, such as the open streams: a cursor over it that is woken here. To be
 * woken is only the quick way: it may be missed and may be for nothing, so a channel also looks by itself.
 */
export interface Channel {
  /** This replica has committed these rows of the user, oldest first. */
  wake(userId: string, rows: Row[]): void;
  /** Somebody says that the user's inbox reaches up to this number. It may be untrue: the inbox itself is asked. */
  wakeUpTo(userId: string, lastSeq: number): void;
}

/** Tells every channel of every replica what has grown: those of this one with the rows, those of others by a hint. */
export function createChannels({
  sql,
  log,
}: {
  /** A pool of one connection, for the hints. */
  sql: Pool;
  log: Log;
}) {
  const channels: Channel[] = [];
  const hints = createHints({
    sql,
    heard: (userId, lastSeq) => tell((channel) => channel.wakeUpTo(userId, lastSeq)),
    log,
  });

  /** What it is told of is committed: a channel that fails holds up neither the others nor the event. */
  function tell(say: (channel: Channel) => void): void {
    for (const channel of channels) {
      try {
        say(channel);
      } catch (error) {
        log.error('channel not told what has grown', { error });
      }
    }
  }

  return {
    register: (channel: Channel): void => void channels.push(channel),
    /** These rows are committed, each user's in order. */
    grown(rows: Row[]): void {
      for (const [userId, own] of Map.groupBy(rows, (row) => row.user_id)) {
        tell((channel) => channel.wake(userId, own));
        hints.announce(userId, own.at(-1)?.seq ?? 0);
      }
    },
    /** Begins to hear what other replicas have appended. */
    listen: hints.listen,
  };
}
