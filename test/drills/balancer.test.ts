import { afterAll, beforeAll, expect, test } from 'bun:test';
import { freePort } from '../../services/local/machine/port.ts';
import { startDying } from '../support/dying.ts';
import { type Balancer, createBalancer } from './balancer.ts';

const servers: Bun.Server<undefined>[] = [];
let replicas: { name: string; origin: string }[];
beforeAll(() => {
  replicas = ['one', 'two'].map((name) => {
    const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response(name) });
    servers.push(server);
    return { name, origin: `http://127.0.0.1:${server.port}` };
  });
});
afterAll(() => Promise.all(servers.map((server) => server.stop(true))));

async function twoAnswers({ send }: Balancer): Promise<string[]> {
  const [first, second] = [await send('/', {}), await send('/', {})];
  return [await first.text(), await second.text()];
}

test('asks the replicas in turn', async () => {
  expect((await twoAnswers(createBalancer(replicas))).sort()).toEqual(['one', 'two']);
});

test('asks none that is being stopped, until it is back', async () => {
  const balancer = createBalancer(replicas);
  balancer.away('one');
  expect(await twoAnswers(balancer)).toEqual(['two', 'two']);
  balancer.back('one');
  expect(await twoAnswers(balancer)).toContain('one');
});

test('goes on to the next when one is dead, and says so when all are', async () => {
  const dead = { name: 'dead', origin: `http://127.0.0.1:${freePort()}` };
  const [alive = dead] = replicas;
  expect(await twoAnswers(createBalancer([dead, alive]))).toEqual(['one', 'one']);
  await expect(createBalancer([dead]).send('/', {})).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('goes on to the next also when others ask meanwhile', async () => {
  const dead = { name: 'dead', origin: `http://127.0.0.1:${freePort()}` };
  const [alive = dead] = replicas;
  const balancer = createBalancer([dead, alive]);
  const answers = await Promise.all(Array.from({ length: 20 }, () => twoAnswers(balancer)));
  expect(new Set(answers.flat())).toEqual(new Set(['one']));
});

test.each(['DELETE', 'PUT'])('asks for a %s once only, whatever becomes of the answer', async (method) => {
  const { port, asked, stop } = startDying();
  const balancer = createBalancer([{ name: 'dying', origin: `http://127.0.0.1:${port}` }]);
  await balancer.send('/', { method: 'GET' });
  await expect(balancer.send('/', { method })).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(asked).toEqual(['GET', method]);
  stop();
});
