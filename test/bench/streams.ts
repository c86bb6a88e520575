import type { AnyEvent } from '#shared/events';
import { eventOf } from '../../services/notification-service/fixtures/events.ts';
import { atRate } from '../support/load.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { eventually } from '../support/wait.ts';
import { createCrowd, crowdSettings, type Member } from './crowd.ts';
import { deliver } from './delivery.ts';
import { residentKiB } from './memory.ts';
import { createReport, p99Of, type Report, type Row } from './report.ts';
import { median } from './figures.ts';
import { type Holder, startChild, startHolder } from './holder.ts';
import type { Told } from './stream-holder.ts';

const LINES_MS = 30_000;
const STUCK_EVERY = 100;
const RECIPIENTS = 500; // of one event at the most
const SECONDS = 4;

type Size = { streams: number[]; rates: number[]; rounds: number };

/**
 * Thousands of streams of as many people on one notification-service, beside the same bytes on plain TCP. Clients live in
 * processes of their own. Events are given to the service as its sidecar does it, so that no other part tells.
 */
export async function bench({ isSmall }: { isSmall: boolean }): Promise<void> {
  const report = createReport('streams', isSmall);
  const size: Size = isSmall
    ? { streams: [300], rates: [100], rounds: 2 }
    : { streams: [1000, 10_000, 19_000], rates: [100, 1000], rounds: 5 };
  for (const count of size.streams) await benchOf(count, size, report);
  await report.save();
}

async function benchOf(count: number, { rates, rounds }: Size, report: Report): Promise<void> {
  const stack = await startStack({
    only: ['notification-service'],
    settings: { 'notification-service': crowdSettings },
  });
  const [bare, oursHeld, bareHeld] = [startChild('bare-streams.ts'), startHolder(), startHolder()];
  try {
    const barePort = (await bare.next()) as number;
    const people = await createCrowd(stack.database.sql, count);
    const ours = serviceOf(stack, people);
    const limit = bareOf(barePort);
    report.table(`${count} streams`, `a person each, one client in ${STUCK_EVERY} stuck; beside: plain TCP`);

    const [emptyBare, emptyOurs] = [residentKiB(bare.pid), residentKiB(ours.pid)];
    const stuckEvery = STUCK_EVERY;
    const bareOpened = await bareHeld({
      do: 'open',
      port: barePort,
      headers: people.map((_, n) => String(n)),
      stuckEvery,
    });
    const headers = people.map((each) => each.headers.authorization);
    const opened = await oursHeld({ do: 'open', port: stack.ports['notification-service'], headers, stuckEvery });
    const tcp = (value: number) => ({ what: 'TCP', rounds: [value] });
    const row = (what: string, unit: Row['unit'], value: number, beside: number) =>
      report.row({ what, unit, rounds: [value], beside: tcp(beside) });
    row('accepted, 200 at once', 's', opened.ms / 1000, bareOpened.ms / 1000);
    await Bun.sleep(2000); // what is garbage by then is collected
    row('resident memory', 'MiB', residentKiB(ours.pid) / 1024, residentKiB(bare.pid) / 1024);
    row('of a stream', 'KiB', (residentKiB(ours.pid) - emptyOurs) / count, (residentKiB(bare.pid) - emptyBare) / count);

    for (const rate of rates) {
      const told = { ours: [] as Told[], bare: [] as Told[] };
      for (let round = 0; round < rounds; round++) {
        told.bare.push(await unicast(bareHeld, limit.send, count, rate));
        told.ours.push(await unicast(oursHeld, ours.send, count, rate));
      }
      latencyRow(report, `unicast at ${rate} a second`, told);
    }
    const told = { ours: [] as Told[], bare: [] as Told[] };
    for (let round = 0; round < rounds; round++) {
      told.bare.push(await broadcast(bareHeld, limit.broadcast, count));
      told.ours.push(await broadcast(oursHeld, ours.broadcast, count));
    }
    latencyRow(report, `to all, ${Math.min(RECIPIENTS, count)} recipients an event`, told);
    row('resident memory then', 'MiB', residentKiB(ours.pid) / 1024, residentKiB(bare.pid) / 1024);
    await Promise.all([oursHeld({ do: 'close' }), bareHeld({ do: 'close' })]);
    await eventually(() => ours.open().then((open) => open === 0), { ms: LINES_MS, what: 'all streams to have ended' });
    await Bun.sleep(2000);
    row('resident memory after all left', 'MiB', residentKiB(ours.pid) / 1024, residentKiB(bare.pid) / 1024);
  } finally {
    for (const child of [bare, oursHeld, bareHeld]) child.end();
    await stack.stop();
  }
}

type Send = (n: number) => Promise<void>;
/** To one person after the other. @returns from the delivery to the line, of clients that read */
async function unicast(held: Holder, send: Send, count: number, rate: number): Promise<Told> {
  const reads = (n: number) => n % STUCK_EVERY !== 1;
  const sent = Array.from({ length: rate * SECONDS }, (_, i) => i % count);
  const came = held({ do: 'await', lines: sent.filter(reads).length, ms: LINES_MS });
  await atRate(rate, SECONDS, (i) => send(i % count));
  return came;
}

async function broadcast(held: Holder, send: () => Promise<void>, count: number): Promise<Told> {
  const reading = Array.from({ length: count }, (_, n) => n % STUCK_EVERY !== 1).filter(Boolean).length;
  const came = held({ do: 'await', lines: reading, ms: LINES_MS });
  await send();
  return came;
}

function latencyRow(report: Report, what: string, { ours, bare }: { ours: Told[]; bare: Told[] }): void {
  const middles = (rounds: Told[]) => rounds.map(({ latencies }) => median(latencies));
  const p99 = (rounds: Told[]) => p99Of(rounds.flatMap(({ latencies }) => latencies));
  const lines = ours.reduce((sum, { latencies }) => sum + latencies.length, 0);
  report.row({
    what: `${what}, ${lines} lines`,
    unit: 'ms',
    rounds: middles(ours),
    p99: p99(ours),
    beside: { what: `TCP p99 ${p99(bare).toFixed(1)}, p50`, rounds: middles(bare) },
  });
}

/** Of this machine, as the holder's. */
const title = () => `at ${performance.timeOrigin + performance.now()}`;

function serviceOf(stack: RunningStack, people: Member[]) {
  const origin = `http://127.0.0.1:${stack.ports['notification-service']}`;
  const eventFor = (recipients: Member[]): AnyEvent =>
    eventOf(recipients[0] ?? { id: '' }, title(), { recipients: recipients.map(({ id }) => id) });
  return {
    pid: stack.pidOf('notification-service') ?? 0,
    send: (n: number) => deliver(stack, 'notification-service', [eventFor(people.slice(n, n + 1))]),
    broadcast() {
      const parts = Array.from({ length: Math.ceil(people.length / RECIPIENTS) }, (_, i) => i * RECIPIENTS);
      const events = parts.map((from) => eventFor(people.slice(from, from + RECIPIENTS)));
      return deliver(stack, 'notification-service', events);
    },
    async open(): Promise<number> {
      const text = await (await fetch(`${origin}/metrics`)).text();
      return Number(/^taskflow_streams_open\S* (\d+)$/m.exec(text)?.[1] ?? NaN);
    },
  };
}

/** The same lines for plain TCP: to all, of as many recipients as one event has. */
function bareOf(port: number) {
  const someone = () => crypto.randomUUID();
  async function write(target: string, recipients: number): Promise<void> {
    const event = eventOf({ id: someone() }, title(), { recipients: Array.from({ length: recipients }, someone) });
    const body = `id: 1\nevent: task.created\ndata: ${JSON.stringify(event)}\n\n`;
    await fetch(`http://127.0.0.1:${port}/${target}`, { method: 'POST', body });
  }
  return { send: (n: number) => write(String(n), 1), broadcast: () => write('', RECIPIENTS) };
}
