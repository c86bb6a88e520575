import { rateLimited } from '#shared/rate-limit';

interface Waiting {
  begin: () => void;
  turnAway: () => void;
}

/** What takes turns: never with empty ones in it, and the first has the next turn. */
type Ring<T> = Map<string, T>;

/**
 * Runs at most `atOnce` pieces of work at a time. The others wait in lanes that take turns, so that a lane in which many
 * wait delays the others by a turn and no more; groups of lanes take turns likewise. At most `maxInLane` wait in one
 * lane and `maxWaiting` in a group. When that is full, the newest of its longest lane makes room; where none is longer
 * than the lane of who comes, who comes goes.
 * @throws {ApiError} 429 to who is turned away, at once or while waiting
 */
export function createTurns(options: { atOnce: number; maxInLane: number; maxWaiting: number }) {
  const { atOnce, maxInLane, maxWaiting } = options;
  const groups: Ring<Ring<Waiting[]>> = new Map();
  let running = 0;

  function queued(group: string, lane: string): Promise<void> {
    const lanes = groups.get(group) ?? new Map<string, Waiting[]>();
    const queue = lanes.get(lane) ?? [];
    if (queue.length >= maxInLane) throw tooMany();
    if (waitingIn(lanes) >= maxWaiting) makeRoom(lanes, queue.length + 1);
    return new Promise((begin, reject) => {
      queue.push({ begin, turnAway: () => reject(tooMany()) });
      lanes.set(lane, queue); // a new one comes last, a known one keeps its place
      groups.set(group, lanes);
    });
  }

  function handOver(): void {
    const next = takeTurn(groups, (lanes) => ({
      taken: takeTurn(lanes, (queue) => ({ taken: queue.shift(), isOver: queue.length === 0 })),
      isOver: lanes.size === 0,
    }));
    if (next) next.begin();
    else running -= 1;
  }

  return async function inTurn<T>(
    { group, lane }: { group: string; lane: string },
    work: () => Promise<T>,
  ): Promise<T> {
    if (running < atOnce) running += 1;
    else await queued(group, lane); // the turn is handed over: `running` stays
    try {
      return await work();
    } finally {
      handOver();
    }
  };
}

/** Takes something from the first of a ring, which then goes behind all others, or out when it is over. */
function takeTurn<T, R>(ring: Ring<T>, take: (member: T) => { taken: R; isOver: boolean }): R | undefined {
  const [first] = ring;
  if (!first) return undefined;
  const [name, member] = first;
  const { taken, isOver } = take(member);
  ring.delete(name);
  if (!isOver) ring.set(name, member);
  return taken;
}

const waitingIn = (lanes: Ring<Waiting[]>): number => [...lanes.values()].reduce((sum, { length }) => sum + length, 0);

/** @throws {ApiError} 429 unless a lane is longer than `length` */
function makeRoom(lanes: Ring<Waiting[]>, length: number): void {
  const longest = [...lanes.values()].reduce((long, queue) => (queue.length > long.length ? queue : long), []);
  if (longest.length <= length) throw tooMany();
  longest.pop()?.turnAway();
}

const tooMany = () => rateLimited('Too many people log in at the moment. Please try again.', 5000);
