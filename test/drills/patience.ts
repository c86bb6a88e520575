const EVERY_MS = 500;

type Patience<Read> = {
  missing: (what: Read) => number;
  /** For so long it may stay as it is. */
  ms: number;
  /** For so long in all. */
  atMostMs: number;
  now?: () => number;
  pause?: (ms: number) => Promise<void>;
};

/**
 * Reads until nothing is missing, or until what is missing has not become less for a while: a stream that is a thousand behind
 * catches up at ten a second. @returns what was read last
 */
export async function untilFull<Read>(
  read: () => Promise<Read>,
  { missing, ms, atMostMs, now = () => performance.now(), pause = Bun.sleep }: Patience<Read>,
): Promise<Read> {
  const end = now() + atMostMs;
  let [least, patientUntil] = [Infinity, 0];
  for (;;) {
    const what = await read();
    const count = missing(what);
    if (count < least) [least, patientUntil] = [count, now() + ms];
    if (count === 0 || now() > Math.min(patientUntil, end)) return what;
    await pause(EVERY_MS);
  }
}
