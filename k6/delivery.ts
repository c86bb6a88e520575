import { Rate, Trend } from 'k6/metrics';
import { LOST_AFTER } from './settings.ts';
import { call, headOf, type Item, jsonOf, pause, stream, type Task, type User } from './taskflow.ts';

/** From the POST to the line on the open stream of the same user, as a client sees it. */
const deliveryLatency = new Trend('delivery_latency', true);
/** From the change to the row in the inbox, by the event's own times: without the client's network. */
const eventLatency = new Trend('event_latency', true);
/** Whether the event of a change came, once and in its turn. */
const delivered = new Rate('events_delivered');

/**
 * The promises: an event within 500 ms, a notification within 2 s, none lost. `count`: how many changes at least. Measured on a
 * crowded machine, at 10 a second: delivery p(99) 256, max 332, event p(99) 171 (README.md).
 */
export const deliveryThresholds = (count: number): Record<string, string[]> => ({
  delivery_latency: ['p(99)<500', 'max<2000'],
  event_latency: ['p(99)<500', 'max<2000'],
  events_delivered: ['rate==1'],
  // Without one change there would be no latency, and p(99) of nothing is 0.
  'http_reqs{name:create}': [`count>=${Math.floor(count)}`],
});

/** So long before the POST the stream is opened; were it not open by then, `last_event_id` would make it replay. */
const OPENING_MS = 100;

/** How far this virtual user has read its inbox: each has its own copy of the module, and an account of its own. */
let cursor: number | undefined;

/** Opens a stream, creates a task and waits for its event; always with the user that is this virtual user's own. */
export async function deliverTo(user: User): Promise<void> {
  let item: Item | undefined;
  try {
    cursor ??= await headOf(user);
    const opened = stream(user, { after: cursor, limit: 1, waitSeconds: LOST_AFTER });
    await pause(OPENING_MS);
    item = await createAndSee(user, [opened]);
  } finally {
    cursor = item?.id; // what comes too late is not to be taken for the next one
    delivered.add(item !== undefined);
  }
}

/** Creates a task and waits for its event on streams that are open. Answers it when each of them brought it, and it alone. */
export async function createAndSee(user: User, streams: Promise<Item[]>[]): Promise<Item | undefined> {
  const from = Date.now();
  const created = call(user, 'POST', '/tasks', { name: 'create', body: { title: 'Write the report' } });
  const brought = await Promise.all(streams.map((opened) => alone(opened, from)));
  const { id } = jsonOf<Task>(await created, 201);
  return brought.every((item) => item?.event.task_id === id) ? brought[0] : undefined;
}

/** The one notification that a stream brought, whose latency is noted. */
async function alone(opened: Promise<Item[]>, from: number): Promise<Item | undefined> {
  const items = await opened;
  const [item] = items;
  if (items.length !== 1 || !item) return undefined;
  deliveryLatency.add(Date.now() - from);
  noteEvent(item);
  return item;
}

export const noteDelivered = (isDelivered: boolean): void => delivered.add(isDelivered);

export function noteEvent({ created_at, event }: Item): void {
  eventLatency.add(Date.parse(created_at) - Date.parse(event.timestamp));
}
