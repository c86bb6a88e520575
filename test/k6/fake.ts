/** What can be wrong with the service that a script looks at. */
export type Faults = Partial<{
  /** Each answer comes so much later, of a stream, of a batch and of all else; ms. */
  streamMs: number;
  batchMs: number;
  answerMs: number;
  /** These calls (`POST /tasks`) are 503. */
  broken: RegExp;
  /** What is changed or completed stays as it was. */
  isForgetful: boolean;
  /** The event of every second change is lost, or comes twice. */
  isLossy: boolean;
  isRepeating: boolean;
  /** Tasks of this title have no events. */
  silent: string;
  /** From an event to its row in the inbox; ms. */
  rowMs: number;
  /** From the time of a reminder or an instance to its event; ms. */
  lateMs: number;
  /** Streams that the service does not know of. */
  missingStreams: number;
  /** What the service needs of memory more at each look, in parts of 1; NaN: it does not say. */
  growth: number;
}>;

type Task = { id: string; title: string; completed: boolean; [field: string]: unknown };
type Item = { id: number; created_at: string; event: Record<string, unknown> };
type Account = { tasks: Map<string, Task>; items: Item[]; changed: () => void; next: Promise<void> };

/** As the scripts name it, which cannot be imported outside of k6. */
const [, OPEN_STREAMS] =
  /OPEN_STREAMS = '(\w+)'/.exec(await Bun.file(new URL('../../k6/metrics.ts', import.meta.url)).text()) ?? [];

/** So late reminders and instances are when nothing is wrong. */
const LATE_MS = 20;
const DAY_MS = 86_400_000;

/**
 * As much of TaskFlow as the scripts of `k6/` talk to, in memory, and with faults: what they are for is seen to fail. What comes
 * in its time is there at once, with the times that it would have.
 */
export function startFake(faults: Faults = {}): { url: string; stop(): Promise<void> } {
  const { streamMs = 0, batchMs = 0, answerMs = 0, broken = /^$/, rowMs = 5, lateMs = LATE_MS, growth = 0 } = faults;
  const accounts = new Map<string, Account>();
  let [streams, changes, looks] = [0, 0, 0];

  function publish(account: Account, event: Record<string, unknown>, at = Date.now()): void {
    changes++;
    if (faults.isLossy && changes % 2 === 0) return;
    if (faults.silent !== undefined && (event.task as Task | undefined)?.title === faults.silent) return;
    const copies = faults.isRepeating && changes % 2 === 0 ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const [timestamp, created_at] = [at, at + rowMs].map((time) => new Date(time).toISOString());
      account.items.push({ id: account.items.length + 1, created_at: `${created_at}`, event: { timestamp, ...event } });
    }
    account.changed();
  }

  function create(account: Account, fields: Record<string, unknown>): Task {
    const task = { id: crypto.randomUUID(), completed: false, ...fields } as Task;
    account.tasks.set(task.id, task);
    const about = { task_id: task.id, task };
    publish(account, { event_type: 'task.created', ...about });
    const dueAt = Date.parse(String(fields.due_date));
    if (fields.reminder_offset !== undefined) {
      const trigger = { title: task.title, trigger_at: new Date(dueAt - 60_000).toISOString() };
      publish(
        account,
        { event_type: 'task.reminder.triggered', task_id: task.id, ...trigger },
        dueAt - 60_000 + lateMs,
      );
    }
    if (fields.recurrence_pattern !== undefined) {
      const day = new Date(dueAt + DAY_MS).toISOString().slice(0, 10);
      const instance = { title: task.title, parent_recurring_task_id: task.id, occurrence_date: day };
      account.tasks.set(`instance of ${task.id}`, { id: crypto.randomUUID(), completed: false, ...instance });
      publish(account, { event_type: 'task.created', task_id: task.id, task: instance }, dueAt + lateMs);
    }
    return task;
  }

  function change(account: Account, task: Task, fields: Record<string, unknown>): Task {
    if (!faults.isForgetful) Object.assign(task, fields);
    const type = fields.completed === true ? 'task.completed' : 'task.updated';
    publish(account, { event_type: type, task_id: task.id, task });
    return task;
  }

  async function stream(account: Account, after: number, limit: number): Promise<Response> {
    streams++;
    try {
      while (itemsAfter(account, after).length < limit) await account.next;
      await Bun.sleep(streamMs);
    } finally {
      streams--;
    }
    const frames = itemsAfter(account, after)
      .slice(0, limit)
      .map((item) => `id: ${item.id}\nevent: ${String(item.event.event_type)}\ndata: ${JSON.stringify(item)}\n\n`);
    return new Response(`retry: 3000\nid: ${after}\nevent: ready\ndata: {}\n\n${frames.join('')}`);
  }

  function metrics(): string {
    const memory = Number.isNaN(growth)
      ? ''
      : `process_resident_memory_bytes{app="fake"} ${1e8 * (1 + growth * looks++)}\n`;
    return `${OPEN_STREAMS}{app="fake"} ${streams - (faults.missingStreams ?? 0)}\n${memory}`;
  }

  async function answer(account: Account, request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const path = pathname.replace('/api/v1', '');
    const called = `${request.method} ${path}`;
    const number = (name: string) => Number(searchParams.get(name) ?? 0);
    if (path === '/metrics') return new Response(metrics());
    if (path === '/notifications/stream') return stream(account, number('last_event_id'), number('limit'));
    await Bun.sleep(path === '/tasks/batch' ? batchMs : answerMs);
    if (broken.test(called)) return Response.json({ code: 'DATABASE_UNAVAILABLE' }, { status: 503 });
    if (path === '/auth/me') return Response.json({ id: '1' });
    if (path === '/notifications') {
      const newest = account.items.slice(-1);
      return Response.json(searchParams.has('after') ? itemsAfter(account, number('after')).slice(0, 200) : newest);
    }
    if (path.startsWith('/audit')) {
      const trail = account.items.filter(({ event }) => event.task_id === path.split('/').at(-1));
      return Response.json(trail);
    }
    if (called === 'GET /tasks') return Response.json([...account.tasks.values()].reverse());
    const body = (request.body ? await request.json() : {}) as Record<string, unknown>;
    if (called === 'POST /tasks') return Response.json(create(account, body), { status: 201 });
    if (called === 'POST /tasks/batch') {
      const given = body.tasks as Record<string, unknown>[];
      return Response.json({ results: given.map((fields) => ({ status: 201, task: create(account, fields) })) });
    }
    const task = account.tasks.get(path.split('/').at(-1) ?? '');
    if (!task) return Response.json({ code: 'NOT_FOUND' }, { status: 404 });
    if (request.method === 'GET') return Response.json(task);
    if (request.method !== 'DELETE') return Response.json(change(account, task, body));
    account.tasks.delete(task.id);
    publish(account, { event_type: 'task.deleted', task_id: task.id });
    return new Response(null, { status: 204 });
  }

  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    fetch(request) {
      const token = request.headers.get('authorization') ?? '';
      const account = accounts.get(token) ?? newAccount();
      accounts.set(token, account);
      return answer(account, request);
    },
  });
  return { url: server.url.origin, stop: () => server.stop(true) };
}

const itemsAfter = ({ items }: Account, after: number): Item[] => items.filter(({ id }) => id > after);

function newAccount(): Account {
  let wake = () => {};
  const account: Account = {
    tasks: new Map(),
    items: [],
    next: new Promise((resolve) => (wake = resolve)),
    changed() {
      wake();
      account.next = new Promise((resolve) => (wake = resolve));
    },
  };
  return account;
}
