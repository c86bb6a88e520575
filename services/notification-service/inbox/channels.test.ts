import { afterAll, expect, test } from 'bun:test';
import { connect } from '#shared/db';
import { createLog } from '#shared/log';
import { createDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/wait.ts';
import { createChannels } from './channels.ts';
import type { Row } from './model.ts';

const database = await createDatabase();
const logged: { message: string }[] = [];
const log = createLog('notification-service', { write: (line) => logged.push(JSON.parse(line)) });
const pools = [1, 2].map(() => connect(database.url('notification-service'), { name: 'test hints', max: 1 }));
const [here, there] = pools.map((sql) => createChannels({ sql, log })) as [Channels, Channels];
type Channels = ReturnType<typeof createChannels>;
afterAll(async () => {
  await Promise.all(pools.map((sql) => sql.end({ timeout: 1 })));
  await database.drop();
});

const rowsOf = (userId: string, ...seqs: number[]): Row[] =>
  seqs.map((seq) => ({
    user_id: userId,
    seq,
    type: 'task.created',
    notify: false,
    payload: {},
    created_at: new Date(),
    read_at: null,
  }));

/** What a channel is told. */
function channelAt(channels: Channels) {
  const told: [userId: string, ...unknown[]][] = [];
  channels.register({
    wake: (userId, rows) => told.push([userId, rows]),
    wakeUpTo: (userId, lastSeq) => told.push([userId, lastSeq]),
  });
  return told;
}

test('each channel gets the rows of each user, those of another replica the last number', async () => {
  const [me, other] = [crypto.randomUUID(), crypto.randomUUID()];
  const [streams, webhooks, elsewhere] = [channelAt(here), channelAt(here), channelAt(there)];
  there.listen();
  here.grown([...rowsOf(me, 1), ...rowsOf(other, 7), ...rowsOf(me, 2)]);
  for (const told of [streams, webhooks]) {
    expect(told).toMatchObject([
      [me, [{ seq: 1 }, { seq: 2 }]],
      [other, [{ seq: 7 }]],
    ]);
  }
  await eventually(() => {
    here.grown(rowsOf(me, 3)); // again, until the other replica listens
    return elsewhere.some(([userId, lastSeq]) => userId === me && lastSeq === 3);
  });
});

test('a channel that fails holds up no other, and is logged', () => {
  here.register({
    wake() {
      throw new Error('a webhook of nobody');
    },
    wakeUpTo() {},
  });
  const told = channelAt(here);
  const me = crypto.randomUUID();
  here.grown(rowsOf(me, 1));
  expect(told).toMatchObject([[me, [{ seq: 1 }]]]);
  expect(logged).toMatchObject([{ message: 'channel not told what has grown' }]);
});
