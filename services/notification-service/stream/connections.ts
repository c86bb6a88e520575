import type { Principal } from '#shared/auth';
import type { Sql } from '#shared/db';
import { ApiError } from '#shared/errors';
import type { Log } from '#shared/log';
import type { Metrics } from '#shared/metrics';
import type { Row } from '../inbox/model.ts';
import type { Level } from '../preferences/model.ts';
import type { End } from './ends.ts';
import { type Asked, type Audience, Stream, type StreamLimits } from './stream.ts';
import { createWheel } from './wheel.ts';

export type Connections = ReturnType<typeof createConnections>;

type User = Audience & { streams: Set<Stream> };

/** The open streams of this replica by user: who may open one, who is woken by what was committed, and how all end. */
export function createConnections({
  sql,
  limits,
  heartbeatMs,
  log,
  metrics,
}: {
  sql: Sql;
  limits: StreamLimits;
  heartbeatMs: number;
  log: Log;
  metrics: Metrics;
}) {
  const users = new Map<string, User>();
  const wheel = createWheel<Stream>(heartbeatMs, (stream) => stream.beat());
  let isDraining = false;

  metrics.gauge('taskflow_streams_open', 'Streams that are open', [], (gauge) => gauge.set(all().length));
  const frames = metrics.counter('taskflow_stream_frames_total', 'Events written to streams');
  const gaps = metrics.counter('taskflow_stream_gaps_total', 'Times a stream had to leave something out and said so');
  const closed = metrics.counter('taskflow_streams_closed_total', 'Streams that ended, by reason', ['reason']);
  const on = { frame: () => frames.inc(), gap: () => gaps.inc(), end: remove };
  const shared = { sql, limits, log, on };

  /**
   * Takes a place for one more stream of this user; `end` gives it back. One of the same `client` (a tab that slept)
   * is ended in its favour. @throws {ApiError} 429 when the user has as many as they may
   */
  function admit(principal: Principal, asked: Omit<Asked, 'audience' | 'principal'>): Stream {
    const older = requirePlace(principal, asked.client);
    const user = users.get(principal.userId) ?? {
      userId: principal.userId,
      head: 0,
      level: 'all' as const,
      streams: new Set(),
    };
    older?.end('replaced');
    const stream = new Stream({ ...asked, audience: user, principal }, shared);
    user.streams.add(stream);
    users.set(user.userId, user);
    wheel.add(stream);
    return stream;
  }

  /** @returns the stream that a new one would end. @throws {ApiError} as `admit`, taking nothing */
  function requirePlace({ userId }: Principal, client: string | null): Stream | undefined {
    const streams = [...(users.get(userId)?.streams ?? [])];
    const older = client === null ? undefined : streams.find((stream) => stream.client === client);
    if (older || streams.length < limits.perUser) return older;
    throw new ApiError(429, 'TOO_MANY_STREAMS', `At most ${limits.perUser} streams of one user may be open.`, {
      headers: { 'retry-after': '5' },
    });
  }

  function remove(stream: Stream, end: End): void {
    const user = users.get(stream.principal.userId);
    user?.streams.delete(stream);
    if (user?.streams.size === 0) users.delete(user.userId);
    wheel.delete(stream);
    closed.labels(end).inc();
  }

  /** Gives the user's streams the rows that were just committed for them, oldest first. */
  function wake(userId: string, rows: Row[]): void {
    const user = users.get(userId);
    if (!user) return;
    user.head = Math.max(user.head, rows.at(-1)?.seq ?? 0);
    for (const stream of [...user.streams]) stream.deliver(rows);
  }

  /** The user's inbox is known to reach up to this number; their streams read what they lack. */
  function wakeUpTo(userId: string, lastSeq: number): void {
    const user = users.get(userId);
    if (!user) return;
    user.head = Math.max(user.head, lastSeq);
    for (const stream of user.streams) stream.advance();
  }

  /** The inbox itself says that it reaches so far; below what was known here, their streams look how far they may be. */
  function setHead(userId: string, lastSeq: number): void {
    const user = users.get(userId);
    if (!user) return;
    user.head = lastSeq;
    for (const stream of user.streams) stream.advance();
  }

  function setLevel(userId: string, level: Level): void {
    const user = users.get(userId);
    if (user) user.level = level;
  }

  const all = (): Stream[] => [...users.values()].flatMap(({ streams }) => [...streams]);

  /** Ends all streams in any order, spread evenly over `ms`, so that their clients do not return in one instant. */
  async function drain(ms: number): Promise<void> {
    isDraining = true;
    const from = performance.now();
    const rest = all().sort(() => Math.random() - 0.5);
    const count = rest.length;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setInterval(step, Math.min(50, ms));
    step();
    await promise;

    function step(): void {
      const left = ms === 0 ? 0 : Math.ceil(count * (1 - (performance.now() - from) / ms));
      while (rest.length > Math.max(left, 0)) {
        rest.pop()?.end('reconnect');
      }
      if (rest.length > 0) return;
      clearInterval(timer);
      resolve();
    }
  }

  return {
    admit,
    requirePlace,
    wake,
    wakeUpTo,
    setHead,
    setLevel,
    all,
    audiences: (): Iterable<Audience> => users.values(),
    drain,
    isDraining: () => isDraining,
    stop: () => wheel.stop(),
  };
}
