import { type Consumer, consumers } from '#shared/events';
import type { AppId } from '../../services/local/machine/apps.ts';
import { deliveriesTaken } from '../support/deliveries.ts';

export type Meter = ReturnType<typeof startMeter>;

const EVERY_MS = 1000;
const SCRAPE_MS = 900;

/**
 * Counts the deliveries that each consumer took, by its `/metrics` once a second and at `read`: at least, as a process
 * that ends takes with it what it counted since the last look.
 */
export function startMeter(services: { appId: AppId; name: string; origin: string }[]) {
  /** By process: a started one counts from nothing. */
  const taken = new Map<string, { appId: Consumer; count: number }>();

  async function read(name: string): Promise<void> {
    const service = services.find((each) => each.name === name);
    if (!service || !(service.appId in consumers)) return;
    const text = await metricsOf(service.origin);
    if (text === undefined) return;
    const startedAt = /^process_start_time_seconds\{.*\} (\S+)/m.exec(text)?.[1];
    const process = `${name} ${startedAt}`;
    // Looks overlap: an answer may come after that to a later one.
    const known = taken.get(process)?.count ?? 0;
    taken.set(process, { appId: service.appId as Consumer, count: Math.max(known, deliveriesTaken(text)) });
  }

  const readAll = async () => void (await Promise.all(services.map(({ name }) => read(name))));
  const timer = setInterval(() => void readAll(), EVERY_MS);
  return {
    read,
    readAll,
    takenBy: (appId: Consumer): number =>
      [...taken.values()].filter((each) => each.appId === appId).reduce((sum, { count }) => sum + count, 0),
    stop: () => clearInterval(timer),
  };
}

async function metricsOf(origin: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${origin}/metrics`, { signal: AbortSignal.timeout(SCRAPE_MS) });
    return await response.text();
  } catch {
    return undefined; // it does not run, or is too slow: the next look sees it
  }
}
