import { type Consumer, consumers, events, eventTypes, type EventType } from '#shared/events';
import { operate } from '../support/operate.ts';
import { eventually } from '../support/wait.ts';
import type { Drill } from './drill.ts';
import type { World } from './world.ts';

const COME_MS = 40_000;
const STORED_MS = 40_000;
const appIds = Object.keys(consumers) as Consumer[];

/** In each topic an event that is invalid, and a valid one that no database stores. */
export const poison: Drill = {
  name: 'poison',
  about:
    'in each of the five topics an invalid event, and one that handlers refuse: each a dead letter of each consumer',
  seconds: 40,
  replicas: { 'notification-service': 2 },
  async run(world) {
    for (const type of eventTypes) await publishPoison(world, type);
    await lettersListed(world);
  },
};

/** An event of this type that is invalid and one that handlers refuse, once one of the type has come. @returns their ids */
export async function publishPoison(world: World, type: EventType): Promise<{ invalid: string; refused: string }> {
  const invalid = { event_type: type, event_id: crypto.randomUUID() };
  await publish(world, type, invalid, appIds);
  const refused = await eventually(() => unstorable(world, type), { ms: COME_MS, what: `a ${type} to come` });
  // chat-api stores nothing of a reminder: it takes it, and the table tells one delivery again.
  const refusers = appIds.filter((appId) => appId !== 'chat-api');
  await publish(world, type, refused, refusers);
  return { invalid: invalid.event_id, refused: refused.event_id };
}

type PoisonEvent = Record<string, unknown> & { event_id: string };

/** As its producer would. */
async function publish(world: World, type: EventType, event: PoisonEvent, refusers: Consumer[]): Promise<void> {
  const { topic, producer } = events[type];
  await world.stack.publishRaw(producer, topic, event, event.event_id);
  for (const appId of refusers) {
    if (consumers[appId].some((each) => each === type)) world.expectDead(appId, event.event_id);
  }
}

/**
 * A copy of one that came, with a character in its title that Postgres does not take: of a task with a reminder where there is
 * one, since of others that are created the reminder service writes nothing.
 */
async function unstorable({ stack }: World, type: EventType): Promise<PoisonEvent | undefined> {
  const [row] = await stack.database.sql<{ payload: { task?: object } }[]>`
    select payload from notifications where type = ${type}
    order by payload -> 'task' ->> 'reminder_status' = 'pending' desc nulls last limit 1`;
  if (!row) return undefined;
  const title = 'U+0000: \u0000';
  const { payload } = row;
  const ids = { event_id: crypto.randomUUID(), task_id: crypto.randomUUID() };
  return { ...payload, ...ids, title, ...(payload.task && { task: { ...payload.task, title } }) };
}

/** Waits until each consumer's operator sees those that were provoked. Any others are found in the account. */
async function lettersListed({ stack, poison }: World): Promise<void> {
  for (const [appId, letters] of Map.groupBy(poison, (letter) => letter.appId)) {
    const areListed = async () => {
      const { out, err } = await operate(stack, appId, ['dlq', 'list', '--json']);
      const listed = (JSON.parse(out || '[]') as { event_id: string }[]).map(({ event_id }) => event_id);
      const missing = letters.filter(({ eventId }) => !listed.includes(eventId));
      if (missing.length > 0) throw new Error(`${missing.length} are missing in ${out}${err}`);
      return true;
    };
    await eventually(areListed, { ms: STORED_MS, everyMs: 500, what: `${appId} to list all dead letters` });
  }
}
