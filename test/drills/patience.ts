const EVERY_MS = 500;

/**
 * Reads until nothing is missing, or until for `ms` what is missing has not become less: a stream that is a thousand behind
 * catches up at ten a second. @returns what was read last
 */
export async function untilFull<Read>(
  read: () => Promise<Read>,
  { missing, ms, everyMs = EVERY_MS }: { missing: (what: Read) => number; ms: number; everyMs?: number },
): Promise<Read> {
  let least = Infinity;
  for (let end = 0; ;) {
    const what = await read();
    const count = missing(what);
    if (count < least) [least, end] = [count, performance.now() + ms];
    if (count === 0 || performance.now() > end) return what;
    await Bun.sleep(everyMs);
  }
}
