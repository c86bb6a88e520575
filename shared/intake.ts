import { HANDLER_MS } from './ladder.ts';

/** Longest body we read, in bytes: 1 MiB (CONTRACT 4). */
export const MAX_BODY_BYTES = 1024 * 1024;

/** What may be held of all bodies under way together, in bytes: 64 of the longest. */
const TOTAL_BYTES = 64 * MAX_BODY_BYTES;

/** A body that cannot be taken: too long, too slow, encoded, not JSON, or JSON that no field of ours may hold. */
export class BodyError extends Error {
  override name = 'BodyError';
  constructor(
    readonly status: 400 | 408 | 413 | 415,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

export type Intake = ReturnType<typeof createIntake>;

/**
 * Takes in bodies, and bounds what they hold while they come: each in length and time, all together in bytes. Where
 * that is full one of whoever holds most gives way: of his the one that has been coming for longest, since one of whoever
 * means well is there in a moment.
 */
export function createIntake({ bodyMs = HANDLER_MS, totalBytes = TOTAL_BYTES } = {}) {
  const senders = new Map<string, Sender>();
  let held = 0;

  function begin(by: string, giveUp: () => void): Arrival {
    const sender = senders.get(by) ?? { bytes: 0, underWay: new Set() };
    senders.set(by, sender);
    const arrival = { by, bytes: 0, giveUp };
    sender.underWay.add(arrival);
    return arrival;
  }

  function hold(arrival: Arrival, bytes: number): void {
    const sender = senders.get(arrival.by);
    if (!sender?.underWay.has(arrival)) return; // it was given up
    arrival.bytes += bytes;
    sender.bytes += bytes;
    held += bytes;
    while (held > totalBytes) giveUpOne();
  }

  function giveUpOne(): void {
    const most = [...senders.values()].reduce((one, other) => (other.bytes > one.bytes ? other : one));
    for (const oldest of most.underWay) {
      release(oldest);
      oldest.giveUp();
      return;
    }
  }

  function release(arrival: Arrival): void {
    const sender = senders.get(arrival.by);
    if (!sender?.underWay.delete(arrival)) return;
    sender.bytes -= arrival.bytes;
    held -= arrival.bytes;
    if (sender.underWay.size === 0) senders.delete(arrival.by);
  }

  return {
    /** Bytes that bodies under way may hold at this moment. */
    held: () => held,
    /**
     * The whole body; of one that says its length nothing is read when that is too long. `by`: who sends it.
     * @throws {BodyError} 413 when it is longer, 408 when it does not come in time
     */
    async take(request: Request, { maxBytes, by }: { maxBytes: number; by: string }): Promise<Uint8Array> {
      const length = request.headers.get('content-length');
      if (Number(length) > maxBytes) throw tooLong(maxBytes);
      const { promise: late, reject } = Promise.withResolvers<never>();
      const giveUp = () => reject(tooSlow());
      const timer = setTimeout(giveUp, bodyMs);
      const arrival = begin(by, giveUp);
      try {
        if (length === null) return await counted(request, late, (bytes) => count(arrival, bytes, maxBytes));
        hold(arrival, Number(length));
        return await Promise.race([request.bytes(), late]);
      } finally {
        clearTimeout(timer);
        release(arrival);
      }
    },
  };

  function count(arrival: Arrival, bytes: number, maxBytes: number): void {
    if (arrival.bytes + bytes > maxBytes) throw tooLong(maxBytes);
    hold(arrival, bytes);
  }
}

type Arrival = { by: string; bytes: number; giveUp(): void };
/** Of the bodies under way the oldest first. */
type Sender = { bytes: number; underWay: Set<Arrival> };

/** A body that does not say its length. What is not wanted any more is not asked for either. */
async function counted({ body }: Request, late: Promise<never>, count: (bytes: number) => void): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) return Buffer.concat(chunks);
      count(value.length);
      chunks.push(value);
    }
  } catch (error) {
    void reader.cancel().catch(() => {}); // of a body that was broken off there is nothing to cancel
    throw error;
  }
}

const tooLong = (maxBytes: number) =>
  new BodyError(413, `The body is longer than ${maxBytes === MAX_BODY_BYTES ? '1 MiB' : `${maxBytes / 1024} KiB`}.`);

/** RFC 9110, 15.5.9: with `close`, since the rest of the body may still come. */
const tooSlow = () => new BodyError(408, 'The body did not come in time.', { connection: 'close' });
