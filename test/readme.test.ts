import { afterAll, beforeAll, expect, test } from 'bun:test';
import { $ } from 'bun';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventSource as EventSourceClient } from 'eventsource';
import { eventTypes } from '#shared/events';
import { createSite } from '../services/web/site.ts';
import { startGateway } from '../services/local/gateway/gateway.ts';
import { readTour } from '../services/local/tour.ts';
import { signUp } from './support/person.ts';
import { type RunningStack, startStack } from './support/stack.ts';
import { eventually } from './support/wait.ts';

const readme = await Bun.file(new URL('../README.md', import.meta.url)).text();
const block = (text: string, after: string, language: string) =>
  new RegExp(`${after}[\\s\\S]*?\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? '';

let stack: RunningStack;
let gateway: Bun.Server<undefined>;
beforeAll(async () => {
  stack = await startStack();
  const demo = { email: 'nobody@example.com', password: '' };
  const tour = () => readTour(`http://localhost:${gateway.port}`);
  const site = async () => createSite(new Map());
  gateway = startGateway({ port: 0, ports: stack.ports, publicUrl: '', site, demo, tour });
});
afterAll(async () => {
  await gateway?.stop(true);
  await stack?.stop();
});

const origin = () => `http://127.0.0.1:${gateway.port}`;

test('the tour does what it says when it is pasted', async () => {
  // As `up` shows it, with the port that it really has.
  const page = await (await fetch(`${origin()}/tour`)).text();
  expect(page).toStartWith('## A tour in five minutes\n');
  expect(page).not.toContain('8080');
  const tour = block(page, '## A tour in five minutes', 'sh');
  expect(tour).toContain(`BASE=http://localhost:${gateway.port}/`);
  // Pasted at a person's pace: the stream has time to show the reminder before it is ended.
  const paced = tour.replace('kill %1', 'sleep 4; kill %1');
  const { stdout, stderr } = await $`bash -c ${`set -euo pipefail; set -m\n${paced}`}`.nothrow().quiet();
  const text = `${stdout}${stderr}`;
  for (const event of ['ready', 'task.created', 'task.reminder.triggered']) expect(text).toContain(`event: ${event}`);
  expect(text).toContain('"title":"Call the bank"');
  expect(text).toContain('2027-03-29T07:00:00.000Z'); // 9 o'clock in Berlin in summer time
  expect(text).not.toContain('"code":');
}, 60_000);

test('the client of 25 lines receives, and opens anew when the server refused it', async () => {
  const source = block(readme, '## Receive events in a browser', 'js');
  expect(source.trim().split('\n').length).toBeLessThanOrEqual(28);
  const [, types = ''] = /const TYPES = \[(.*)\];/.exec(source) ?? [];
  expect([...types.matchAll(/[\w.]+/g)].map(([type]) => type)).toEqual(eventTypes);
  const folder = await mkdtemp(join(tmpdir(), 'taskflow-readme-'));
  const file = join(folder, 'notifications.mjs');
  await Bun.write(file, source);
  const { notifications } = (await import(file)) as {
    notifications(
      onItem: (item: { event: { task_id: string } }) => void,
      options: { url: string; waitMs: number },
    ): () => void;
  };

  const me = await signUp(stack);
  const statuses: number[] = [];
  // What the browser does with its cookie is done here with a header; everything else is the client's own.
  const { fetch: realFetch } = globalThis;
  const withToken: typeof fetch = Object.assign(
    async (input: string | URL | Request, init?: RequestInit) => {
      const response = await realFetch(input, { ...init, headers: { ...init?.headers, ...me.headers } } as RequestInit);
      statuses.push(response.status);
      return response;
    },
    { preconnect: realFetch.preconnect },
  );
  class WithToken extends EventSourceClient {
    constructor(url: string) {
      super(url, { fetch: withToken as never });
    }
  }
  Object.assign(globalThis, { EventSource: WithToken });

  const full = await Promise.all(
    [1, 2, 3].map(() => realFetch(stack.url('/api/v1/notifications/stream'), { headers: me.headers })),
  );
  const seen: string[] = [];
  const stop = notifications((item) => seen.push(item.event.task_id), {
    url: `${origin()}/api/v1/notifications/stream`,
    waitMs: 20,
  });
  await eventually(() => statuses.includes(429), { what: 'the fourth stream to be refused' });
  for (const response of full) await response.body?.cancel();
  await eventually(() => statuses.includes(200), { what: 'the client to try again' });
  const task = await me.ask<{ id: string }>('POST', '/tasks', { title: 'Seen in a browser' });
  await eventually(() => seen.includes(task.id));
  stop();
  await rm(folder, { recursive: true });
}, 30_000);
