import { EventSource } from 'eventsource';
import { eventTypes } from '#shared/events';
import type { Json, Person } from './person.ts';
import type { RunningStack } from './stack.ts';
import { eventually } from './wait.ts';

/** A notification as it arrived: the item is what `GET /notifications` gives too. */
export interface Heard {
  id: string;
  event: string;
  item: Json;
}

/**
 * A person's open stream, read by a real EventSource client that resumes by itself. Resolves when the stream is ready.
 * A gap is an error: no test that uses this expects one. `through` may choose another replica at each opening.
 */
export async function listen(
  stack: RunningStack,
  person: Person,
  { through = fetch }: { through?: (url: string, init: RequestInit) => Promise<Response> } = {},
) {
  const heard: Heard[] = [];
  const gaps: string[] = [];
  let read = 0;
  const openedAt: number[] = [];
  const errors: string[] = [];
  const source = new EventSource(stack.url('/api/v1/notifications/stream'), {
    fetch: (url, init) =>
      through(String(url), { ...init, headers: { ...init.headers, ...person.headers } } as RequestInit),
  });
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  source.addEventListener('ready', () => {
    openedAt.push(Date.now());
    resolve();
  });
  source.addEventListener('error', ({ code, message }) => errors.push(`${code ?? ''} ${message ?? 'ended'}`.trim()));
  source.addEventListener('stream.gap', ({ data }) => gaps.push(data as string));
  for (const type of eventTypes) {
    source.addEventListener(type, ({ lastEventId, data }) =>
      heard.push({ id: lastEventId, event: type, item: JSON.parse(data as string) as Json }),
    );
  }
  await ready;

  /** The next `count` notifications. */
  async function take(count: number): Promise<Heard[]> {
    await eventually(() => heard.length >= read + count, { ms: 15_000, what: `${count} more notifications` });
    read += count;
    return heard.slice(read - count, read);
  }

  return {
    take,
    next: async (): Promise<Heard> => (await take(1))[0] as Heard,
    /** Waits until everything in the person's inbox has been heard. @returns the event ids in the order of hearing */
    async whole(): Promise<string[]> {
      const { sql } = stack.database;
      await eventually(
        async () => {
          const [row] = await sql`select last_seq from notification_counters where user_id = ${person.id}`;
          const [last, inbox] = [heard.at(-1)?.id ?? '', String(row?.last_seq ?? '')];
          if (last === inbox) return true;
          const state = ['connecting', 'open', 'closed'][source.readyState];
          throw new Error(`${state} at ${last} of ${inbox}, opened ${openedAt.length} times, errors: ${errors.join()}`);
        },
        { ms: 90_000, what: 'the stream to catch up with the inbox' },
      );
      if (gaps.length > 0) throw new Error(`the stream had gaps: ${gaps.join()}`);
      return heard.map(({ item }) => String((item.event as Json).event_id));
    },
    heard,
    gaps,
    /** When it was ready, in ms since the epoch: once, unless it was lost. */
    openedAt,
    /** How often it had to be opened: 1 unless it was lost. */
    openings: () => openedAt.length,
    close: () => source.close(),
  };
}
