import type { TaskEvent } from '#shared/events';

/** An event as a sidecar reads it from a publish; `entryId` in a bulk. */
export type Published<Event = TaskEvent> = {
  event: Event;
  topic: string;
  metadata: Record<string, string>;
  entryId: string;
};

const BULK = '/v1.0/publish/bulk/';

/** What one request publishes, alone or in bulk: for what stands at a sidecar's HTTP edge. */
export async function readPublish<Event = TaskEvent>(request: Request): Promise<Published<Event>[]> {
  const { pathname, searchParams } = new URL(request.url);
  const topic = pathname.split('/').at(-1) ?? '';
  const body: unknown = await request.json();
  if (pathname.startsWith(BULK)) return (body as Published<Event>[]).map((entry) => ({ ...entry, topic }));
  const metadata = Object.fromEntries([...searchParams].map(([key, value]) => [key.replace(/^metadata\./, ''), value]));
  return [{ event: body as Event, topic, metadata, entryId: '' }];
}

/** As daprd answers: 204, what refuses the request as a whole, or which entries have failed. */
export function publishAnswer(published: { entryId: string }[], statuses: number[]): Response {
  const refused = statuses.find((status) => status !== 204 && (status < 500 || published.length === 1));
  if (refused !== undefined) return Response.json({ errorCode: 'ERR_PUBSUB', message: 'told to' }, { status: refused });
  const failedEntries = published
    .filter((_, i) => statuses[i] !== 204)
    .map(({ entryId }) => ({ entryId, error: 'kafka: told to' }));
  if (failedEntries.length === 0) return new Response(null, { status: 204 });
  return Response.json({ failedEntries, errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' }, { status: 500 });
}
