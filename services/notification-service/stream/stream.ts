import type { Principal } from '#shared/auth';
import { isTransient, type Sql, within } from '#shared/db';
import type { Log } from '#shared/log';
import type { Row } from '../inbox/model.ts';
import { readSpan } from '../inbox/service.ts';
import { carries, type Level, typesOf } from '../preferences/model.ts';
import { type Reach, startOf } from './cursor.ts';
import { type End, ends } from './ends.ts';
import { frame, gapFrame, heartbeatFrame, rowFrame } from './frame.ts';
import { Rate } from './rate.ts';

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

/** Whose stream it is, and what its client asks of it. */
export interface Asked {
  audience: Audience;
  principal: Principal;
  /** The tab, by a name of its own. */
  client: string | null;
  /** How many it may carry, then it ends; null: no limit. */
  notifications: number | null;
  /** It carries everything, whatever the preferences say, and what asks for nobody's notice does not use up its rate. */
  isSync: boolean;
}

/** What all streams of a replica share. */
export interface Shared {
  sql: Sql;
  limits: StreamLimits;
  log: Log;
  on: { frame(): void; gap(): void; end(stream: Stream, end: End): void };
}

const RETRY_MS = 3000;
const RATE_WINDOW_MS = 1000;
const READ_MS = 8000;
/** Rows read at once that no rate bounds: of the longest, which hold 60 kB, six times what its client may leave unsent. */
const PAGE_ROWS = 25;

/**
 * One open stream: a cursor over its user's inbox that holds no queue. It writes cursor + 1, from memory when that is
 * just what was committed, else from the inbox, and waits when its client has no room (replay) or its rate is used up
 * (live). A class, since there are ten thousand of them: as closures each had 23 functions and 10 scopes of its own.
 */
export class Stream {
  readonly principal: Principal;
  readonly client: string | null;
  readonly #audience: Audience;
  readonly #isSync: boolean;
  readonly #shared: Shared;
  /** From its first notification on: most streams are silent. */
  #rate: Rate | null = null;
  #output: Output | null = null;
  #ended: End | null = null;
  /** The last number it is done with, whether written or not carried. */
  #cursor = 0;
  /** The last number its client knows of. */
  #told = 0;
  /** Rows up to here were there before it opened: bounded by back-pressure, not by the rate. */
  #replayThrough = 0;
  #remaining: number;
  #waiting: { for: 'room' | 'rate'; timer?: NodeJS.Timeout } | null = null;
  #isReading = false;
  /** The room at the last heartbeat of a replay that waits for it: unchanged at the next one, nobody reads. */
  #roomAtBeat: number | null = null;

  constructor({ audience, principal, client, notifications, isSync }: Asked, shared: Shared) {
    this.principal = principal;
    this.client = client;
    this.#audience = audience;
    this.#isSync = isSync;
    this.#shared = shared;
    this.#remaining = notifications ?? Infinity;
  }

  /** Writes where it stands, then all that follows `lastEventId` (null: only what is new). */
  begin(to: Output, lastEventId: string | null, reach: Reach): void {
    if (this.#ended) return finish(to, this.#ended); // replaced, or drained, while the database was asked
    this.#output = to;
    this.#audience.head = Math.max(this.#audience.head, reach.lastSeq);
    const start = startOf(lastEventId, reach);
    this.#replayThrough = reach.lastSeq;
    this.#cursor = this.#told = start.cursor;
    if (start.gap) {
      this.#shared.on.gap();
      this.#write(gapFrame(start.gap.from, start.gap.to, this.#cursor, RETRY_MS));
    }
    this.#write(
      frame({
        ...(!start.gap && { retry: RETRY_MS }),
        id: this.#cursor,
        event: 'ready',
        data: JSON.stringify({ cursor: this.#cursor }),
      }),
    );
    this.advance();
  }

  /** Takes rows that were just committed, oldest first, if they are what comes next; else it reads them in its turn. */
  deliver(rows: Row[]): void {
    const isNext = rows[0]?.seq === this.#cursor + 1 && this.#cursor >= this.#replayThrough;
    if (isNext && this.#output && !this.#isReading && !this.#waiting) this.#take(rows);
    this.advance();
  }

  /** Goes on from the inbox until nothing is left or something must be waited for. */
  advance(): void {
    if (!this.#isReading && this.#hasWork()) void this.#readOn();
  }

  /** The client may have read some of what was written. */
  roomMade(): void {
    const { unsentBytes } = this.#shared.limits;
    if (this.#waiting?.for === 'room' && (this.#output?.room() ?? 0) > unsentBytes * 0.75) this.#goOn();
  }

  /** Every 30 s. Carries the position when preferences filtered everything since; ends a replay nobody reads. */
  beat(): void {
    if (!this.#output) return;
    if (this.#output.room() === this.#roomAtBeat) return this.end('slow');
    this.#output.write(heartbeatFrame(this.#cursor > this.#told ? this.#cursor : undefined));
    this.#told = this.#cursor;
    this.#roomAtBeat = this.#waiting?.for === 'room' ? this.#output.room() : null;
    if (this.#output.room() < 0) this.end('slow');
  }

  /** Ends it, with the last frame of this end. Again changes nothing. */
  end(by: End): void {
    if (this.#ended) return;
    this.#ended = by;
    clearTimeout(this.#waiting?.timer);
    if (this.#output) finish(this.#output, by);
    this.#output = null;
    this.#shared.on.end(this, by);
  }

  #level(): Level {
    return this.#isSync ? 'all' : this.#audience.level;
  }

  #hasWork(): boolean {
    // Beyond the newest number is not where a stream can be: the inbox is asked whether it was restored.
    return this.#output !== null && !this.#waiting && this.#cursor !== this.#audience.head;
  }

  async #readOn(): Promise<void> {
    this.#isReading = true;
    try {
      // The last look at `#hasWork` and `#isReading = false` are one step: no wake can fall between them.
      while (this.#hasWork()) await this.#readPage();
    } catch (error) {
      // The streams' look says once that the database is down, and starts this stream again when it is back.
      if (!isTransient(error)) this.#shared.log.error('inbox not read', { user_id: this.#audience.userId, error });
    } finally {
      this.#isReading = false;
    }
  }

  async #readPage(): Promise<void> {
    const { sql, limits } = this.#shared;
    const { head, userId } = this.#audience;
    const after = this.#cursor;
    const level = this.#level();
    const isReplay = after < this.#replayThrough;
    // `head` may come from a hint, which anybody can send: how far behind this is, the inbox itself says.
    const isFar = !isReplay && level !== 'none' && head - after > limits.maxBehind;
    const through = isReplay ? this.#replayThrough : head;
    const limit = isFar ? 0 : isReplay || this.#isSync ? PAGE_ROWS : limits.livePerSecond;
    const span = await within(READ_MS, readSpan(sql, userId, { after, through, types: typesOf[level], limit }));
    if (!this.#output || this.#level() !== level) return; // it is read again, as the new level carries it
    if (this.#audience.head === head) this.#audience.head = span.lastSeq; // nobody has told of a newer one meanwhile
    // The database was restored from a backup: none of what the client has can be relied on.
    if (span.lastSeq < after) return this.#jump(span.purgedThrough + 1, span.lastSeq);
    const isTooFar = isFar && span.lastSeq - after > limits.maxBehind;
    if (span.purgedThrough > after || isTooFar) return this.#jump(after + 1, span.lastSeq);
    if (isFar) return;
    const isDone = this.#take(span.rows);
    if (isDone && span.rows.length < limit) this.#cursor = Math.max(this.#cursor, Math.min(through, span.lastSeq));
  }

  /** Writes rows until one must wait; what is left is read again later. */
  #take(rows: Row[]): boolean {
    for (const row of rows) {
      if (carries(this.#level(), row.type)) {
        if (!this.#output || !this.#mayWrite(row)) return false;
        this.#write(rowFrame(row));
        this.#told = row.seq;
        if (--this.#remaining === 0) this.end('limit');
      }
      this.#cursor = row.seq;
    }
    return this.#output !== null;
  }

  #mayWrite({ seq, notify }: Row): boolean {
    if (seq <= this.#replayThrough || (this.#isSync && !notify)) {
      // Half is left free, so that a heartbeat during a long replay does not make the client look slow.
      if ((this.#output?.room() ?? 0) > this.#shared.limits.unsentBytes / 2) return true;
      this.#waiting = { for: 'room' };
      return false;
    }
    this.#rate ??= new Rate(this.#shared.limits.livePerSecond, RATE_WINDOW_MS);
    const waitMs = this.#rate.take(performance.now());
    if (waitMs === 0) return true;
    this.#waiting = { for: 'rate', timer: setTimeout(() => this.#goOn(), waitMs) };
    return false;
  }

  #goOn(): void {
    this.#waiting = null;
    this.#roomAtBeat = null;
    this.advance();
  }

  /** Leaves out what the client missed, or must read again, and says so. */
  #jump(from: number, to: number): void {
    this.#shared.on.gap();
    this.#write(gapFrame(from, to, to));
    this.#cursor = this.#told = to;
    this.#replayThrough = Math.min(this.#replayThrough, to);
  }

  #write(bytes: Uint8Array): void {
    if (!this.#output) return;
    this.#output.write(bytes);
    this.#shared.on.frame();
    if (this.#output.room() < 0) this.end('slow');
  }
}

function finish(output: Output, by: End): void {
  const { last, output: becomes } = ends[by];
  if (becomes === 'cut') return output.fail();
  if (becomes === 'gone') return;
  if (last) output.write(last);
  output.close();
}
