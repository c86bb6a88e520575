import { ApiError } from '#shared/errors';

interface Waiting {
  begin: () => void;
  turnAway: () => void;
}

/**
 * Runs at most `atOnce` pieces of work at a time; the others wait in lanes that take turns, so that a lane in which many
 * wait delays the others by a turn and no more. At most `maxInLane` wait in one lane and `maxWaiting` in all. When all
 * are full, the newest of the longest lane makes room; where none is longer than the lane of who comes, who comes goes.
 * @throws {ApiError} 429 to who is turned away, at once or while waiting
 */
export function createTurns(options: { atOnce: number; maxInLane: number; maxWaiting: number }) {
  const { atOnce, maxInLane, maxWaiting } = options;
  const lanes = new Map<string, Waiting[]>(); // never empty ones; the first has the next turn
  let running = 0;

  function queued(lane: string): Promise<void> {
    const queue = lanes.get(lane) ?? [];
    if (queue.length >= maxInLane) throw tooMany();
    if (lengthOf([...lanes.values()]) >= maxWaiting) makeRoom(queue.length + 1);
    return new Promise((begin, reject) => {
      queue.push({ begin, turnAway: () => reject(tooMany()) });
      lanes.set(lane, queue); // a new lane comes last, a known one keeps its place
    });
  }

  function makeRoom(length: number): void {
    const longest = [...lanes.values()].reduce((long, queue) => (queue.length > long.length ? queue : long), []);
    if (longest.length <= length) throw tooMany();
    longest.pop()?.turnAway();
  }

  function handOver(): void {
    const [first] = lanes;
    if (!first) {
      running -= 1;
      return;
    }
    const [lane, queue] = first;
    const next = queue.shift();
    lanes.delete(lane);
    if (queue.length > 0) lanes.set(lane, queue); // behind all others
    next?.begin();
  }

  return async function inTurn<T>(lane: string, work: () => Promise<T>): Promise<T> {
    if (running < atOnce) running += 1;
    else await queued(lane); // the turn is handed over: `running` stays
    try {
      return await work();
    } finally {
      handOver();
    }
  };
}

const lengthOf = (queues: Waiting[][]): number => queues.reduce((sum, queue) => sum + queue.length, 0);

const tooMany = () =>
  new ApiError(429, 'RATE_LIMITED', 'Too many people log in at the moment. Please try again.', {
    headers: { 'retry-after': '5' },
  });
