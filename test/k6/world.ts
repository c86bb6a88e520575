import { join } from 'node:path';
import { serviceOf } from '../../services/local/gateway/gateway.ts';
import { createBalancer } from '../drills/balancer.ts';
import { startEntrance } from '../support/entrance.ts';
import { operate } from '../support/operate.ts';
import { startStack } from '../support/stack.ts';

const USERS = 200;
const LOST_AFTER_SECONDS = 15;
/** When the services are told to change, the script has begun. */
const UNDER_WAY_MS = 1000;
const REPLICAS = ['chat-api', 'chat-api#2'];
const PHASE_5 = ['notification-service', 'reminder-service', 'audit-logger', 'recurring-task-processor'];

export type World = Awaited<ReturnType<typeof startWorld>>;

/** All services under the limits of an installation, two of them chat-api as a rollback in a cluster has them. */
export async function startWorld(folder: string) {
  // Read at each start of a process.
  const chat: Record<string, string> = {};
  const stack = await startStack({
    asShipped: true,
    replicas: { 'chat-api': 2 },
    settings: { 'chat-api': chat, 'recurring-task-processor': { TICK_SECONDS: '1' } },
  });
  const { send, away, back } = createBalancer(REPLICAS.map((name) => ({ name, origin: stack.url('', name) })));

  const entrance = startEntrance(({ pathname, search }, init) =>
    serviceOf(pathname) === 'chat-api' ? send(pathname + search, init) : fetch(stack.url(pathname) + search, init),
  );

  const users = join(folder, 'users.ndjson');
  const { out, err } = await operate(stack, 'chat-api', ['users', 'seed', '--users', `${USERS}`]);
  if (out === '') throw new Error(`no users: ${err}`);
  await Bun.write(users, out);

  /** Replica by replica, none of which is asked while it is away. */
  async function restartChat(): Promise<void> {
    for (const name of REPLICAS) {
      away(name);
      await stack.stopOne(name);
      await stack.start(name);
      back(name);
    }
  }

  return {
    settings: {
      BASE_URL: entrance.url.origin,
      METRICS_URL: stack.url('/metrics', 'notification-service'),
      USERS: users,
      LOST_AFTER: LOST_AFTER_SECONDS,
    },
    settled: () => stack.settled(),
    /** To Phase IV and forward again. */
    async rollBackAndForward(): Promise<void> {
      await Bun.sleep(UNDER_WAY_MS);
      chat.EVENTS = 'off';
      await restartChat();
      await Promise.all(PHASE_5.map(stack.stopOne));
      delete chat.EVENTS;
      await Promise.all(PHASE_5.map(stack.start));
      await restartChat();
    },
    async stop(): Promise<void> {
      await entrance.stop(true);
      await stack.stop();
    },
  };
}
