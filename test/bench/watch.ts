import { within } from '#shared/db';
import { type StreamEvent, readEvents } from '../../services/local/stream-reader.ts';
import { LATE_MS } from './bare.ts';

/** Opens a stream and tells of each task that it tells of. @returns what closes it */
export type Listen = (onTask: (taskId: string) => void) => Promise<() => void>;

/** Creates that wait for their line on one of these streams. */
export async function watch(listeners: Listen[]) {
  const waiting = new Map<string, (at: number) => void>();
  /** What came before its create was answered, which happens. */
  const early = new Map<string, number>();
  const seen = (taskId: string) => {
    const at = performance.now();
    const resolve = waiting.get(taskId);
    if (resolve) resolve(at);
    else early.set(taskId, at);
  };
  const closers = await Promise.all(listeners.map((listen) => listen(seen)));
  return {
    /** `create` tells the id of the task. @returns from the request to the line on the stream, ms */
    async createAndSee(create: () => Promise<string>): Promise<number> {
      const from = performance.now();
      const id = await create();
      const { promise, resolve } = Promise.withResolvers<number>();
      waiting.set(id, resolve);
      const at = early.get(id) ?? (await within(LATE_MS, promise));
      waiting.delete(id);
      early.delete(id);
      return at - from;
    },
    close: () => closers.forEach((close) => close()),
  };
}

/** An open stream that hands on its events until it is closed. Throws when it is refused. */
export async function openStream(
  url: string,
  headers: Record<string, string>,
  onEvent: (event: StreamEvent) => void,
): Promise<() => void> {
  const controller = new AbortController();
  const response = await fetch(url, { headers, signal: controller.signal });
  if (response.status !== 200 || !response.body) throw new Error(`the stream answered ${response.status}`);
  const { body } = response;
  void (async () => {
    for await (const event of readEvents(body)) onEvent(event);
  })().catch(() => {}); // ends by our own abort
  return () => controller.abort();
}

/** The stream of a person of TaskFlow, open from its `ready` on. */
export function listenTo(url: string, headers: Record<string, string>): Listen {
  return async (onTask) => {
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const close = await openStream(url, headers, ({ event, data }) => {
      if (event === 'ready') resolve();
      else onTask((JSON.parse(data) as { event?: { task_id: string } }).event?.task_id ?? '');
    });
    await ready;
    return close;
  };
}
