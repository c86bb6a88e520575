import { failureSchema } from '#shared/answers';
import { type Authenticator, permit } from '#shared/auth';
import { isTransient, type Sql, within } from '#shared/db';
import { headOfStream, isHead } from '#shared/head';
import { UNREAD_SECONDS } from '#shared/long-answer';
import { Elysia, t } from 'elysia';
import type { Connections } from './connections.ts';
import { lastEventIdOf, type Reach } from './cursor.ts';
import { unavailable } from './ends.ts';
import { STREAM_HEADERS } from './frame.ts';
import type { Level } from '../preferences/model.ts';
import type { Output, Stream } from './stream.ts';

/** Longer than a healthy database needs; a client that waits in vain learns nothing. */
const OPEN_MS = 3000;

const streamQuery = t.Object({
  last_event_id: t.Optional(t.String({ description: 'the last number seen; the header Last-Event-ID wins' })),
  client: t.Optional(
    t.String({ maxLength: 100, description: 'id of the tab: its newer stream ends the older one, uncounted' }),
  ),
  limit: t.Optional(t.Integer({ minimum: 1, description: 'ends the stream after so many notifications' })),
  level: t.Optional(
    t.Literal('all', {
      description:
        'for a client that keeps a copy: carries everything, whatever the preferences say, and without delay what is no notice',
    }),
  ),
});

/** The stream of the caller's notifications (Server-Sent Events). */
export const stream = ({
  sql,
  authenticator,
  connections,
  unsentBytes,
  unreadSeconds = UNREAD_SECONDS,
}: {
  sql: Sql;
  authenticator: Authenticator;
  connections: Connections;
  unsentBytes: number;
  /** How long a client may take nothing of what was written before the end of its stream. */
  unreadSeconds?: number;
}) => {
  const strategy = strategyOf(unsentBytes);
  return new Elysia({ name: 'stream' }).get(
    '/api/v1/notifications/stream',
    async ({ request, query, headers, server }) => {
      let admitted: Stream | undefined;
      try {
        // Not the plugin `authenticated`: where its answer would be 503, an EventSource would never come back.
        const principal = await within(OPEN_MS, authenticator.authenticate(request));
        permit(principal, 'notifications:read');
        // Asked where nothing is waited for until `admit`: draining ends whatever was admitted before.
        if (connections.isDraining()) return unavailable('draining');
        if (isHead(request)) {
          connections.requirePlace(principal, query.client ?? null);
          return headOfStream(STREAM_HEADERS);
        }
        admitted = connections.admit(principal, {
          client: query.client ?? null,
          notifications: query.limit ?? null,
          isSync: query.level === 'all',
        });
        const { level, ...reach } = await within(OPEN_MS, readStart(sql, principal.userId));
        connections.setLevel(principal.userId, level);
        server?.timeout(request, 0); // or Bun cuts a stream that is silent for its idle timeout
        const untilRead = () => server?.timeout(request, unreadSeconds);
        const body = new Body(admitted, unsentBytes, untilRead);
        const answer = new ReadableStream(body, strategy);
        admitted.begin(body, lastEventIdOf(headers['last-event-id'] ?? null, query.last_event_id), reach);
        return new Response(answer, { headers: STREAM_HEADERS });
      } catch (error) {
        admitted?.end('unavailable');
        if (isTransient(error)) return unavailable('unavailable');
        throw error;
      }
    },
    {
      query: streamQuery,
      detail: {
        tags: ['Stream'],
        summary: 'Live notifications (Server-Sent Events)',
        description:
          'Begins with `ready`; each notification has the number of its inbox row as id, so `Last-Event-ID` replays ' +
          'what was missed (7 days) and goes on live. `stream.gap` names what cannot be given. At most 3 streams a user.',
        responses: {
          200: { description: 'text/event-stream', content: { 'text/event-stream': { schema: { type: 'string' } } } },
          ...Object.fromEntries(
            [400, 401, 403, 429].map((status) => [
              status,
              { description: '', content: { 'application/json': { schema: failureSchema } } },
            ]),
          ),
        },
      },
    },
  );
};

async function readStart(sql: Sql, userId: string): Promise<Reach & { level: Level }> {
  const [row] = await sql<{ lastSeq: number; purgedThrough: number; level: Level }[]>`
    select coalesce(c.last_seq, 0) as "lastSeq", coalesce(c.purged_through, 0) as "purgedThrough",
      coalesce(p.level, 'all') as level
    from (select ${userId}::uuid as user_id) u
    left join notification_counters c using (user_id)
    left join notification_preferences p using (user_id)`;
  return row ?? { lastSeq: 0, purgedThrough: 0, level: 'all' };
}

/**
 * What a stream writes: the body of its answer. A plain ReadableStream: measured as cheap as a direct one, its
 * back-pressure can be read, and a client that goes away is noticed at once by `cancel`.
 */
class Body implements Output {
  readonly #stream: Stream;
  readonly #unsentBytes: number;
  readonly #ending: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;

  /** `ending`: nothing more is written and no heartbeat comes, so who reads nothing must be cut off by somebody else. */
  constructor(stream: Stream, unsentBytes: number, ending: () => void) {
    this.#stream = stream;
    this.#unsentBytes = unsentBytes;
    this.#ending = ending;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
  }

  pull(): void {
    this.#stream.roomMade();
  }

  cancel(): void {
    this.#stream.end('client');
  }

  write(bytes: Uint8Array): void {
    this.#controller?.enqueue(bytes);
  }

  room(): number {
    return Math.round((this.#controller?.desiredSize ?? 0) * this.#unsentBytes);
  }

  close(): void {
    this.#controller?.close();
    this.#ending();
  }

  fail(): void {
    this.#controller?.error(new Error('the client does not read'));
  }
}

/** Counted in shares of what may be unsent: for a mark above 1 Bun 1.4.5 sets aside 4 KiB a stream (measured). */
const strategyOf = (unsentBytes: number): QueuingStrategy<Uint8Array> => ({
  highWaterMark: 1,
  size: (chunk) => (chunk?.byteLength ?? 0) / unsentBytes,
});
