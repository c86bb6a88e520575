import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect } from '../support/event-source.ts';
import { type Json, signUp } from '../support/person.ts';
import { type RunningStack, startStack } from '../support/stack.ts';

let stack: RunningStack;
beforeAll(async () => {
  stack = await startStack({ only: ['chat-api', 'notification-service'] });
});
afterAll(() => stack?.stop());

test('a client that comes back gets what it missed, then what happens, each once and in the order of the inbox', async () => {
  const me = await signUp(stack);
  const create = (title: string) => me.ask<{ id: string }>('POST', '/tasks', { title });
  const open = (lastId?: string) =>
    connect(stack.url('/api/v1/notifications/stream'), { ...me.headers, ...(lastId && { 'last-event-id': lastId }) });

  const first = await open();
  await create('Seen');
  const [ready, seen] = await first.take(2);
  expect([ready?.event, seen?.event, seen?.id]).toEqual(['ready', 'task.created', '1']);
  first.close();

  await create('Missed');
  await create('Missed too');
  await stack.settled();
  const second = await open(seen?.id);
  const caughtUp = await second.take(3);
  await create('Live');
  const received = [...caughtUp, ...(await second.take(1))];
  second.close();

  expect(received.map(({ event, id }) => [event, id])).toEqual([
    ['ready', '1'],
    ['task.created', '2'],
    ['task.created', '3'],
    ['task.created', '4'],
  ]);
  const items = received.slice(1).map(({ data }) => JSON.parse(data) as Json);
  expect(items).toEqual((await me.ask<Json[]>('GET', '/notifications')).slice(0, 3).toReversed());
});
