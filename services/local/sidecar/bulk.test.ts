import { afterEach, describe, expect, test } from 'bun:test';
import { eventually } from '../../../test/support/wait.ts';
import { outcomesOf } from './bulk.ts';
import {
  batches,
  DEAD_LETTERS,
  inBulk,
  quickManifests,
  type Received,
  startPair,
  startToyApp,
  twoReplicas,
} from './fixture.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Ticks begin anywhere in their first turn: what must not come needs one that is long. */
const NEVER = 1e9;

const done = inBulk(() => 'SUCCESS');

async function setUp(
  answer: (received: Received) => Response | Promise<Response> = done,
  bulk = { maxMessages: 10, awaitMs: 5 },
) {
  const app = startToyApp(answer);
  open.push(app.stop);
  const pair = await startPair(app, { resources: await quickManifests({ bulk }) });
  open.push(pair.close);
  const taken = () => batches(app).flat();
  const publish = async (count: number, options = {}) => {
    const ids = Array.from({ length: count }, (_, i) => `e${i}`);
    for (const id of ids) await pair.publish(id, options);
    return ids;
  };
  return { app, pair, taken, publish };
}

// What each answer of an app leads to is in test/conformance.
describe('a batch', () => {
  test('holds what has gathered in a partition until its tick, in order', async () => {
    const { app, publish } = await setUp(done, { maxMessages: 10, awaitMs: 400 });
    const ids = await publish(5);
    await eventually(() => batches(app).flat().length === 5);
    expect(batches(app).length).toBeLessThanOrEqual(2); // one of them, where the tick fell between two of the five
    expect(batches(app).flat()).toEqual(ids);
  });

  test('goes at once when it is full', async () => {
    const { app, publish } = await setUp(done, { maxMessages: 3, awaitMs: NEVER });
    const ids = await publish(7);
    await eventually(() => batches(app).length === 2);
    expect(batches(app)).toEqual([ids.slice(0, 3), ids.slice(3, 6)]);
  });

  test('holds up every other of its sidecar while it is repeated', async () => {
    let isStuck = true;
    const { app, pair, taken } = await setUp(inBulk((id) => (isStuck && id === 'stuck' ? 'RETRY' : 'SUCCESS')));
    await pair.publish('stuck');
    await eventually(() => taken().includes('stuck'));
    await pair.publish('beside', { topic: 'taskflow.tasks.updated', key: 'another' });
    await eventually(() => taken().filter((id) => id === 'stuck').length > 5);
    expect(taken()).not.toContain('beside');
    expect(pair.standIn.state().lag.some(({ retrying_ms: ms }) => ms > 0)).toBe(true);
    isStuck = false;
    await eventually(() => taken().includes('beside'));
    expect(app.received.at(-1)?.path).toBe('/events/updated');
  });

  test('of which a part failed: that part alone is sent again, and after a stop all from the first of it on', async () => {
    const { app, pair, publish } = await setUp(
      inBulk((id) => (id === 'e2' ? undefined : 'SUCCESS')),
      {
        maxMessages: 5,
        awaitMs: NEVER,
      },
    );
    const ids = await publish(5);
    await eventually(() => batches(app).length === 3);
    expect(batches(app)).toEqual([ids, ['e2'], ['e2']]);
    const entry = (app.received[1]?.envelope['entries'] as { entryId: string }[])[0];
    expect(entry?.entryId).toBe('2');
    expect(app.received[1]?.envelope['id']).toBe(app.received[0]?.envelope['id'] as string);
    await pair.standIn.stop();
    app.answer = done;
    app.received.length = 0;
    await pair.crashAndRestart();
    for (const id of ['e5', 'e6']) await pair.publish(id);
    await eventually(() => batches(app).length === 1);
    expect(batches(app)).toEqual([['e2', 'e3', 'e4', 'e5', 'e6']]);
  });

  test('with DROP in a part that is sent again ends the sidecar, and comes again as a whole', async () => {
    let times = 0;
    const { app, pair, publish } = await setUp(
      inBulk((id) => (id !== 'e1' ? 'SUCCESS' : times++ === 0 ? 'RETRY' : 'DROP')),
      { maxMessages: 3, awaitMs: NEVER },
    );
    const ids = await publish(3);
    await eventually(() =>
      pair.standIn.state().apps.some(({ app_id, state }) => app_id === 'audit-logger' && state === 'off'),
    );
    app.answer = done;
    pair.standIn.setFaults('audit-logger', { state: 'on' });
    await eventually(() => batches(app).length === 3);
    expect(batches(app)).toEqual([ids, ['e1'], ids]);
    expect(pair.standIn.state().dead_letters[DEAD_LETTERS]).toBe(0);
  });
});

describe('faults', () => {
  test('off cuts a batch that hangs, and another replica takes all of it', async () => {
    const manifests = await quickManifests({ bulk: { maxMessages: 3, awaitMs: 5 } });
    const [one, two] = [startToyApp(done), startToyApp(done)];
    open.push(one.stop, two.stop);
    const pair = await startPair(one, {
      resources: { ...manifests, inbound: { ...manifests.inbound, timeoutMs: 60_000 } },
      apps: twoReplicas(one, two),
    });
    open.push(pair.close);
    await eventually(() => pair.standIn.state().apps.every(({ ready }) => ready));
    one.answer = two.answer = () => new Promise<Response>(() => {});
    await pair.publish('e1');
    await eventually(() => one.received.length + two.received.length === 1);
    const [taker, other] = one.received.length ? [0, two] : [1, one];
    other.answer = done;
    pair.standIn.setFaults('audit-logger', { state: 'off' }, taker);
    await eventually(() => batches(other).flat().includes('e1'));
  });

  test('duplicate delivers a batch twice, reorder turns it round', async () => {
    const { app, pair, publish } = await setUp(done, { maxMessages: 3, awaitMs: NEVER });
    pair.standIn.setFaults('audit-logger', { duplicate: true, reorder: true });
    const ids = await publish(3);
    await eventually(() => batches(app).length === 2);
    expect(batches(app)).toEqual([ids.toReversed(), ids.toReversed()]);
    await eventually(() => pair.standIn.state().lag.every(({ app_id, lag }) => app_id !== 'audit-logger' || lag === 0));
  });
});

test.each([
  [200, '{"statuses":[{"entryId":"0","status":"SUCCESS"}]}', ['success', 'retry']],
  [200, '{"statuses":[{"entryId":"1","status":"DROP"},{"entryId":"0","status":"RETRY"}]}', ['retry', 'drop']],
  [200, '{"statuses":[{"entryId":"0","status":""},{"entryId":"1","status":"success"}]}', ['retry', 'retry']],
  [204, '', ['retry', 'retry']],
  [200, 'no json', ['retry', 'retry']],
  [200, 'null', ['retry', 'retry']],
  [200, '{"status":"SUCCESS"}', ['retry', 'retry']],
  [404, '', ['success', 'success']],
  [400, '{"statuses":[{"entryId":"0","status":"SUCCESS"}]}', ['retry', 'retry']],
  [503, '', ['retry', 'retry']],
] as const)('an answer %p %p to a batch of two means %p', (status, body, outcomes) => {
  expect(['0', '1'].map(outcomesOf(status, body))).toEqual([...outcomes]);
});
