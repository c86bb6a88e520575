import type { Principal } from '#shared/auth';
import { isTransient, type Sql, within } from '#shared/db';
import type { Log } from '#shared/log';
import type { Row } from '../inbox/model.ts';
import { readSpan } from '../inbox/service.ts';
import { carries, type Level, typesOf } from '../preferences/model.ts';
import { type Reach, startOf } from './cursor.ts';
import { type End, ends } from './ends.ts';
import { frame, gapFrame, heartbeatFrame, rowFrame } from './frame.ts';
import { createRate } from './rate.ts';

/** What a stream may do; the defaults and their reasons stand in `config.ts`. */
export interface StreamLimits {
  perUser: number;
  livePerSecond: number;
  maxBehind: number;
  unsentBytes: number;
}

/** Where a stream writes: the body of its HTTP answer. */
export interface Output {
  write(bytes: Uint8Array): void;
  /** Bytes that may still be written before the client counts as too slow; negative: too late. */
  room(): number;
  /** Ends it after what was written. */
  close(): void;
  /** Ends it at once and frees what was not sent. */
  fail(): void;
}

/** What all streams of one user share: the newest number known here, and what their preferences let through. */
export interface Audience {
  readonly userId: string;
  head: number;
  level: Level;
}

export type Stream = ReturnType<typeof createStream>;

const RETRY_MS = 3000;
const RATE_WINDOW_MS = 1000;
const READ_MS = 8000;
/** Rows read at once that no rate bounds: of the longest, which hold 60 kB, six times what its client may leave unsent. */
const PAGE_ROWS = 25;

/**
 * One open stream: a cursor over its user's inbox that holds no queue. It writes cursor + 1, from memory when that is
 * just what was committed, else from the inbox, and waits when its client has no room (replay) or its rate is used up
 * (live). `notifications`: how many it may carry, then it ends; null: no limit. `isSync`: it carries everything, whatever
 * the preferences say, and what asks for nobody's notice does not use up its rate.
 */
export function createStream({
  audience,
  principal,
  client,
  notifications,
  isSync,
  sql,
  limits,
  log,
  on,
}: {
  audience: Audience;
  principal: Principal;
  client: string | null;
  notifications: number | null;
  isSync: boolean;
  sql: Sql;
  limits: StreamLimits;
  log: Log;
  on: { frame(): void; gap(): void; end(stream: Stream, end: End): void };
}) {
  const rate = createRate(limits.livePerSecond, RATE_WINDOW_MS);
  let output: Output | null = null;
  let ended: End | null = null;
  /** The last number it is done with, whether written or not carried. */
  let cursor = 0;
  /** The last number its client knows of. */
  let told = 0;
  /** Rows up to here were there before it opened: bounded by back-pressure, not by the rate. */
  let replayThrough = 0;
  let remaining = notifications ?? Infinity;
  let waiting: { for: 'room' | 'rate'; timer?: NodeJS.Timeout } | null = null;
  let isReading = false;
  /** The room at the last heartbeat of a replay that waits for it: unchanged at the next one, nobody reads. */
  let roomAtBeat: number | null = null;

  const levelNow = (): Level => (isSync ? 'all' : audience.level);

  const stream = { principal, client, begin, deliver, advance, roomMade, beat, end };
  return stream;

  /** Writes where it stands, then all that follows `lastEventId` (null: only what is new). */
  function begin(to: Output, lastEventId: string | null, reach: Reach): void {
    if (ended) return finish(to, ended); // replaced, or drained, while the database was asked
    output = to;
    audience.head = Math.max(audience.head, reach.lastSeq);
    const start = startOf(lastEventId, reach);
    replayThrough = reach.lastSeq;
    cursor = told = start.cursor;
    if (start.gap) {
      on.gap();
      write(gapFrame(start.gap.from, start.gap.to, cursor, RETRY_MS));
    }
    write(
      frame({
        ...(!start.gap && { retry: RETRY_MS }),
        id: cursor,
        event: 'ready',
        data: JSON.stringify({ cursor }),
      }),
    );
    advance();
  }

  /** Takes rows that were just committed, oldest first, if they are what comes next; else it reads them in its turn. */
  function deliver(rows: Row[]): void {
    const isNext = rows[0]?.seq === cursor + 1 && cursor >= replayThrough;
    if (isNext && output && !isReading && !waiting) take(rows);
    advance();
  }

  /** Goes on from the inbox until nothing is left or something must be waited for. */
  function advance(): void {
    if (!isReading && hasWork()) void readOn();
  }

  function hasWork(): boolean {
    return output !== null && !waiting && cursor < audience.head;
  }

  async function readOn(): Promise<void> {
    isReading = true;
    try {
      // The last look at `hasWork` and `isReading = false` are one step: no wake can fall between them.
      while (hasWork()) await readPage();
    } catch (error) {
      // The streams' look says once that the database is down, and starts this stream again when it is back.
      if (!isTransient(error)) log.error('inbox not read', { user_id: audience.userId, error });
    } finally {
      isReading = false;
    }
  }

  async function readPage(): Promise<void> {
    const { head, userId } = audience;
    const level = levelNow();
    const isReplay = cursor < replayThrough;
    // `head` may come from a hint, which anybody can send: how far behind this is, the inbox itself says.
    const isFar = !isReplay && level !== 'none' && head - cursor > limits.maxBehind;
    const through = isReplay ? replayThrough : head;
    const limit = isFar ? 0 : isReplay || isSync ? PAGE_ROWS : limits.livePerSecond;
    const span = await within(READ_MS, readSpan(sql, userId, { after: cursor, through, types: typesOf[level], limit }));
    if (!output || levelNow() !== level) return; // it is read again, as the new level carries it
    if (span.lastSeq < through) audience.head = span.lastSeq; // the database was restored from a backup
    if (span.purgedThrough > cursor || span.lastSeq < cursor) return jump(span.lastSeq);
    if (isFar) return span.lastSeq - cursor > limits.maxBehind ? jump(span.lastSeq) : undefined;
    const isDone = take(span.rows);
    if (isDone && span.rows.length < limit) cursor = Math.max(cursor, Math.min(through, span.lastSeq));
  }

  /** Writes rows until one must wait; what is left is read again later. */
  function take(rows: Row[]): boolean {
    for (const row of rows) {
      if (carries(levelNow(), row.type)) {
        if (!output || !mayWrite(row)) return false;
        write(rowFrame(row));
        told = row.seq;
        if (--remaining === 0) end('limit');
      }
      cursor = row.seq;
    }
    return output !== null;
  }

  function mayWrite({ seq, notify }: Row): boolean {
    if (seq <= replayThrough || (isSync && !notify)) {
      // Half is left free, so that a heartbeat during a long replay does not make the client look slow.
      if ((output?.room() ?? 0) > limits.unsentBytes / 2) return true;
      waiting = { for: 'room' };
      return false;
    }
    const waitMs = rate.take(performance.now());
    if (waitMs === 0) return true;
    waiting = { for: 'rate', timer: setTimeout(goOn, waitMs) };
    return false;
  }

  function goOn(): void {
    waiting = null;
    roomAtBeat = null;
    advance();
  }

  /** The client may have read some of what was written. */
  function roomMade(): void {
    if (waiting?.for === 'room' && (output?.room() ?? 0) > limits.unsentBytes * 0.75) goOn();
  }

  /** Leaves out what the client missed, and says so. */
  function jump(to: number): void {
    on.gap();
    write(gapFrame(Math.min(cursor, to) + 1, to, to));
    cursor = told = to;
  }

  /** Every 30 s. Carries the position when preferences filtered everything since; ends a replay nobody reads. */
  function beat(): void {
    if (!output) return;
    if (output.room() === roomAtBeat) return end('slow');
    output.write(heartbeatFrame(cursor > told ? cursor : undefined));
    told = cursor;
    roomAtBeat = waiting?.for === 'room' ? output.room() : null;
    if (output.room() < 0) end('slow');
  }

  function write(bytes: Uint8Array): void {
    if (!output) return;
    output.write(bytes);
    on.frame();
    if (output.room() < 0) end('slow');
  }

  /** Ends it, with the last frame of this end. Again changes nothing. */
  function end(by: End): void {
    if (ended) return;
    ended = by;
    clearTimeout(waiting?.timer);
    if (output) finish(output, by);
    output = null;
    on.end(stream, by);
  }
}

function finish(output: Output, by: End): void {
  const { last, output: becomes } = ends[by];
  if (becomes === 'cut') return output.fail();
  if (becomes === 'gone') return;
  if (last) output.write(last);
  output.close();
}
