import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../support/wait.ts';
import { differences } from './differences.ts';
import { startToys, type Toy, type Toys } from './fixtures/toys.ts';

// Two replicas of one app, each with a sidecar of its own: who gets what, and what happens when one is lost.

let toys: Toys;
let one: Toy;
let two: Toy;
beforeAll(async () => {
  const callees = ['chat-api', 'chat-api#2'];
  toys = await startToys([...callees, 'recurring-task-processor', 'notification-service', 'notification-service#2']);
  [one, two] = [toys.app('notification-service'), toys.app('notification-service#2')];
  await bothReceive();
}, 60_000);
afterAll(() => toys?.stop());

const keys = Array.from({ length: 20 }, (_, i) => `task-${i}`);
type Published = { id: string; key: string };

/** `rounds` events of each key. */
async function publishRounds(rounds: number): Promise<Published[]> {
  const published: Published[] = [];
  for (let round = 0; round < rounds; round++)
    published.push(...(await Promise.all(keys.map(async (key) => ({ key, id: await publishTo(key) })))));
  return published;
}

const publishTo = (key: string) => toys.publish({ metadata: { partitionKey: key } });

const arrived = ({ id }: Published) => one.of(id).length + two.of(id).length > 0;

/** All ids in the order of their first arrival at either. */
function firstArrivals(): string[] {
  const all = [...one.deliveries, ...two.deliveries].toSorted((a, b) => a.at - b.at);
  return [...new Set(all.map(({ id }) => id))];
}

function expectOrderOfKeys(published: Published[]): void {
  const arrivals = firstArrivals();
  for (const key of keys) {
    const ids = published.filter((event) => event.key === key).map(({ id }) => id);
    expect(arrivals.filter((id) => ids.includes(id))).toEqual(ids);
  }
}

/** Until the group has settled with both. */
async function bothReceive(): Promise<void> {
  await eventually(
    async () => {
      const events = await publishRounds(1);
      await eventually(() => events.every(arrived), 20_000);
      return [one, two].every((toy) => events.some(({ id }) => toy.of(id).length > 0));
    },
    { ms: 40_000, what: 'both replicas to receive' },
  );
}

describe('two replicas', () => {
  test('share the events: each to one of them, those of a key to the same and in order', async () => {
    const published = await publishRounds(3);
    await eventually(() => published.every(arrived));
    await toys.caughtUp('notification-service');
    for (const { id } of published) expect(one.of(id).length + two.of(id).length).toBe(1);
    for (const toy of [one, two]) {
      const own = published.filter(({ id }) => toy.of(id).length > 0);
      expect(own.length).toBeGreaterThan(0);
      const ownKeys = new Set(own.map(({ key }) => key));
      expect(own.length).toBe(3 * ownKeys.size);
    }
    expectOrderOfKeys(published);
  });

  test('of which one app is gone: its share waits for it, the other goes on with its own', async () => {
    await two.close();
    const published = await publishRounds(2);
    const taken = () => published.filter(({ id }) => one.of(id).length > 0).length;
    await eventually(taken);
    two.open();
    await eventually(() => published.every(arrived));
    expect(taken()).toBeWithin(1, published.length);
    for (const { id } of published) expect(one.of(id).length + two.of(id).length).toBe(1);
    expectOrderOfKeys(published);
  });

  test('of which one sidecar is killed: the other takes over, nothing is lost, and both share when it is back', async () => {
    const published = await publishRounds(2);
    await toys.sidecars.killSidecar('notification-service#2');
    const killedAt = performance.now();
    published.push(...(await publishRounds(2)));
    await eventually(() => published.every(arrived), 40_000);
    expect(performance.now() - killedAt).toBeWithin(...differences.takeOverMs);
    expectOrderOfKeys(published);
    await toys.sidecars.startSidecar('notification-service#2');
    await bothReceive();
  }, 90_000);

  test('share the invocations', async () => {
    const asked: string[] = [];
    const callees = ['chat-api', 'chat-api#2'];
    for (const name of callees)
      toys.app(name).invoked = () => {
        asked.push(name);
        return new Response();
      };
    const batch = '/v1.0/invoke/chat-api/method/api/v1/tasks/batch';
    for (let i = 0; i < 20; i++) expect((await toys.post('recurring-task-processor', batch, {})).status).toBe(200);
    expect(asked).toHaveLength(20);
    for (const name of callees) expect(asked).toContain(name);
  });
});
