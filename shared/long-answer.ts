import type { Server } from 'bun';
import { ApiError } from './errors.ts';
import { headOfStream, isHead } from './head.ts';
import type { Log } from './log.ts';
import { inParts, PART } from './page.ts';
import { createPlaces } from './places.ts';

export const NDJSON = 'application/x-ndjson';

export type LongAnswers = ReturnType<typeof createLongAnswers>;

/** Ends the answer whose caller takes nothing for so long: all buffers on the way to him are full by then. */
export const UNREAD_SECONDS = 30;

export interface Caller {
  request: Request;
  server: Server<unknown> | null;
  userId: string;
}

/**
 * Answers too long to be held in memory. A page is read when the caller has taken the one before, so memory stays flat (what
 * nobody reads waits in the buffers of the kernel, some 4 MB). An error in between breaks the connection off, so that a
 * part is never taken for the whole; so does the end of the caller's session or token. Each user has at most `perUser` of
 * them at once in this replica.
 */
export function createLongAnswers({
  perUser,
  unreadSeconds = UNREAD_SECONDS,
  authenticator,
  log,
}: {
  perUser: number;
  unreadSeconds?: number;
  authenticator: { authenticate: (request: Request) => Promise<unknown> };
  log: Log;
}) {
  const open = new Map<string, number>();
  /** Of all that a user reads at once one part is made at a time, with a rest after it. Who waits for it has his answer already. */
  const making = createPlaces({ perKey: 1, restFactor: 3 });

  /** @throws {ApiError} 429 when the user has too many */
  function requireRoom(userId: string): void {
    if ((open.get(userId) ?? 0) >= perUser) throw tooMany(perUser);
  }

  /** @returns what gives the place back */
  function takePlace(userId: string): () => void {
    open.set(userId, (open.get(userId) ?? 0) + 1);
    return () => {
      const left = (open.get(userId) ?? 1) - 1;
      if (left > 0) open.set(userId, left);
      else open.delete(userId);
    };
  }

  /** The first part is made before the answer begins: a database that is away is a 503. */
  async function answer(
    caller: Caller,
    parts: AsyncGenerator<string, undefined>,
    contentType: string,
    { isOwed = false } = {},
  ): Promise<Response> {
    const headers = { 'content-type': contentType };
    if (isHead(caller.request)) return headOfStream(headers);
    if (!isOwed) requireRoom(caller.userId);
    const giveBack = takePlace(caller.userId);
    const nextPart = () => making.within(caller.userId, () => parts.next());
    const first = await nextPart().catch((error: unknown) => {
      giveBack();
      throw error;
    });
    caller.server?.timeout(caller.request, unreadSeconds);
    const mayGoOn = () => authenticator.authenticate(caller.request);
    return new Response(bodyOf(parts, first, { nextPart, mayGoOn, log, ended: giveBack }), { headers });
  }

  return {
    /** How many are under way. */
    open: () => [...open.values()].reduce((sum, count) => sum + count, 0),

    /** A JSON array of what these pages hold. @throws {ApiError} 429 when the user has too many */
    json: <T>(caller: Caller, pages: AsyncIterable<T[]>, answerOf: (item: T) => unknown): Promise<Response> =>
      answer(caller, arrayOf(pages, answerOf), 'application/json'),

    /**
     * A page that was read whole, of `bytes` in all: as it is, or in parts where it would be long for whoever does not read
     * it. @throws {ApiError} 429 when the user has too many
     */
    page<T, Answer>(
      caller: Caller,
      { rows, bytes }: { rows: T[]; bytes: number },
      answerOf: (item: T) => Answer,
    ): Answer[] | Promise<Answer[]> {
      const list = inParts(rows, () => bytes / rows.length);
      if ('rows' in list) return list.rows.map(answerOf);
      // To Elysia's types a Response is no array; it passes all the same.
      return answer(caller, arrayOf(list.pages, answerOf), 'application/json') as Promise<never>;
    },

    /** For what stores something before it answers: asked first, since its answer cannot be refused. */
    requireRoom,

    /** What was done, as it is or in parts where it is long; never refused. */
    owed<T>(caller: Caller, value: T): T | Promise<T> {
      const text = JSON.stringify(value);
      if (text.length <= PART.bytes) return value;
      return answer(caller, slicesOf(text), 'application/json', { isOwed: true }) as Promise<never>;
    },

    /** One JSON value a line. @throws {ApiError} 429 when the user has too many */
    ndjson: (caller: Caller, pages: AsyncIterable<unknown[]>): Promise<Response> =>
      answer(caller, linesOf(pages), NDJSON),
  };
}

const tooMany = (perUser: number) =>
  new ApiError(429, 'TOO_MANY_LONG_ANSWERS', `At most ${perUser} long answers of one user may be under way.`, {
    headers: { 'retry-after': '5' },
  });

interface BodyDeps {
  nextPart: () => Promise<IteratorResult<string, undefined>>;
  mayGoOn: () => Promise<unknown>;
  log: Log;
  ended: () => void;
}

function bodyOf(
  parts: AsyncGenerator<string, undefined>,
  first: IteratorResult<string, undefined>,
  { nextPart, mayGoOn, log, ended }: BodyDeps,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let ahead: IteratorResult<string, undefined> | null = first;
  let hasEnded = false;

  function end(): void {
    if (!hasEnded) ended();
    hasEnded = true;
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (!ahead) await mayGoOn();
          const { done, value } = ahead ?? (await nextPart());
          ahead = null;
          if (hasEnded) return;
          if (!done) return controller.enqueue(encoder.encode(value));
          end();
          controller.close();
        } catch (error) {
          log[error instanceof ApiError ? 'info' : 'error']('answer broken off', { error }); // a session may end
          end();
          await parts.return(undefined);
          controller.error(error);
        }
      },
      async cancel() {
        end();
        await parts.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

async function* arrayOf<T>(
  pages: AsyncIterable<T[]>,
  answerOf: (item: T) => unknown,
): AsyncGenerator<string, undefined> {
  let before = '[';
  for await (const page of pages) {
    if (page.length === 0) continue;
    yield before + page.map((item) => JSON.stringify(answerOf(item))).join(',');
    before = ',';
  }
  yield before === '[' ? '[]' : ']';
}

async function* slicesOf(text: string): AsyncGenerator<string, undefined> {
  for (let from = 0; from < text.length;) {
    const to = from + PART.bytes;
    const isBetween = (text.charCodeAt(to - 1) & 0xfc00) === 0xd800; // the halves of a surrogate pair stay together
    const end = isBetween ? to + 1 : to;
    yield text.slice(from, end);
    from = end;
  }
}

async function* linesOf(pages: AsyncIterable<unknown[]>): AsyncGenerator<string, undefined> {
  for await (const page of pages) if (page.length > 0) yield page.map((item) => `${JSON.stringify(item)}\n`).join('');
}
