import TinyQueue from 'tinyqueue';
import { percentile } from './figures.ts';

// A discrete-event simulation of the way of a change: made, published, and consumed by three services at once. It knows no
// code of ours, only how long each part works on an event and how many it works on at once, so it can have sizes that no
// machine here has. All times in ms.

/** What works on events: `servers` at once, each about `ms` long, in the order in which they come. */
export type Part = {
  name: string;
  servers: number;
  ms: number;
  /** There is one of it for each partition, or for each person: events of one wait for each other there. */
  apart?: 'partition' | 'person';
  /** It waits, as for a disk, and takes no processor. */
  waits?: true;
};

export type Plan = {
  /** One after the other; the answer to the caller goes out behind these. */
  request: Part[];
  /** Behind the answer: to the broker. */
  publish: Part[];
  /** The ways that each event takes beside each other, one for each consumer. */
  consumers: Part[][];
  partitions: number;
  /** The processors that all of them share, or null where each part has its own. */
  cores: number | null;
};

export type Load = {
  seconds: number;
  /** Changes a second at that second. */
  rate(second: number): number;
  people: number;
  /** How unequal people are: the nth makes changes in proportion to 1 / n^zipf. 0: all alike. */
  zipf: number;
  seed: number;
  /** A part loses so many of its servers from a second on, for so long. What they worked on is done again by others. */
  dying?: { part: string; at: number; forSeconds: number; servers: number };
};

/** ms. `deepest`: the longest queue of each part; `busy`: ms that each part worked. */
export type Outcome = {
  made: number;
  /** Of the consumer that was last. */
  delivered: number;
  request: { p50: number; p99: number };
  delivery: { p50: number; p99: number };
  endedAt: number;
  busy: Map<string, number>;
  deepest: Map<string, number>;
};

type Job = { ms: number; done: () => void };
type Running = { job: Job; isLost: boolean };
type Station = { part: Part; free: number; queue: Job[]; running: Set<Running>; busy: number; deepest: number };

export function simulate(plan: Plan, load: Load): Outcome {
  const random = randomOf(load.seed);
  const events = new TinyQueue<{ at: number; act: () => void }>([], (a, b) => a.at - b.at);
  const stations = new Map<string, Station>();
  const waitingForCore: Station[] = [];
  const pick = personOf(load, random);
  let now = 0;
  let cores = plan.cores ?? Infinity;

  const after = (ms: number, act: () => void) => events.push({ at: now + ms, act });

  function stationOf(part: Part, key: string): Station {
    const known = stations.get(key);
    if (known) return known;
    const made = { part, free: part.servers, queue: [], running: new Set<Running>(), busy: 0, deepest: 0 };
    stations.set(key, made);
    return made;
  }

  function begin(station: Station): void {
    while (station.free > 0 && station.queue.length > 0) {
      const taken = station.part.waits ? 0 : 1;
      if (cores < taken) return void waitingForCore.push(station);
      const job = station.queue.shift();
      if (!job) return;
      station.free--;
      cores -= taken;
      const running = { job, isLost: false };
      station.running.add(running);
      after(job.ms, () => end(station, running));
    }
  }

  function end(station: Station, running: Running): void {
    station.running.delete(running);
    station.busy += running.job.ms;
    if (!station.part.waits) cores++;
    if (!running.isLost) {
      station.free++;
      running.job.done();
    }
    begin(station);
    for (const waiting of waitingForCore.splice(0)) begin(waiting);
  }

  /** Through all parts, one after the other; no two works are equally long. */
  function pass([part, ...rest]: Part[], of: { person: number; partition: number }, done: () => void): void {
    if (!part) return done();
    const station = stationOf(part, part.apart ? `${part.name} ${of[part.apart]}` : part.name);
    station.queue.push({ ms: -part.ms * Math.log(1 - random()), done: () => pass(rest, of, done) });
    station.deepest = Math.max(station.deepest, station.queue.length);
    begin(station);
  }

  const told = { made: 0, delivered: 0, request: [] as number[], delivery: [] as number[] };

  function make(): void {
    const from = now;
    const of = { person: pick(), partition: Math.floor(random() * plan.partitions) }; // by task: any
    told.made++;
    pass(plan.request, of, () => {
      told.request.push(now - from);
      pass(plan.publish, of, () => {
        let left = plan.consumers.length;
        for (const parts of plan.consumers) {
          pass(parts, of, () => {
            if (--left > 0) return;
            told.delivered++;
            told.delivery.push(now - from);
          });
        }
      });
    });
  }

  function arrive(): void {
    const rate = load.rate(now / 1000);
    const gap = rate > 0 ? (-1000 / rate) * Math.log(1 - random()) : 100;
    if (now + gap >= load.seconds * 1000) return;
    after(gap, () => {
      if (rate > 0) make();
      arrive();
    });
  }

  function die({ part, at, forSeconds, servers }: NonNullable<Load['dying']>): void {
    after(at * 1000, () => {
      const station = stations.get(part);
      if (!station) return;
      station.free -= servers;
      for (const running of [...station.running].slice(0, servers)) {
        running.isLost = true;
        station.free++; // its place is among those that are gone
        station.queue.unshift(running.job);
      }
      begin(station);
      after(forSeconds * 1000, () => {
        station.free += servers;
        begin(station);
      });
    });
  }

  arrive();
  if (load.dying) die(load.dying);
  for (let next = events.pop(); next; next = events.pop()) {
    now = next.at;
    next.act();
  }
  const sums = (of: (station: Station) => number, join: (a: number, b: number) => number) => {
    const told = new Map<string, number>();
    for (const station of stations.values())
      told.set(station.part.name, join(told.get(station.part.name) ?? 0, of(station)));
    return told;
  };
  return {
    ...told,
    request: { p50: percentile(told.request, 0.5), p99: percentile(told.request, 0.99) },
    delivery: { p50: percentile(told.delivery, 0.5), p99: percentile(told.delivery, 0.99) },
    endedAt: now,
    busy: sums(
      ({ busy }) => busy,
      (a, b) => a + b,
    ),
    deepest: sums(({ deepest }) => deepest, Math.max),
  };
}

/** Numbers from 0 to 1, the same for the same seed, so that a run can be told again. Marsaglia 2003, "Xorshift RNGs", 3. */
export function randomOf(seed: number): () => number {
  let state = Math.imul(seed, 2_654_435_761) | 1; // small seeds differ in few bits, and 0 stays 0
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Who makes the next change: by Zipf's law, the first most often. */
export function personOf({ people, zipf }: Pick<Load, 'people' | 'zipf'>, random: () => number): () => number {
  const sums = new Float64Array(people);
  let sum = 0;
  for (let n = 0; n < people; n++) sums[n] = sum += 1 / (n + 1) ** zipf;
  return () => {
    const sought = random() * sum;
    let [low, high] = [0, people - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < sought) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
