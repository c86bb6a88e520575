type Falsy = false | 0 | '' | null | undefined;

/**
 * Polls `probe` until it answers something truthy and returns that. A throwing probe counts as "not yet"; its last
 * error becomes the cause. `ms` (default 15,000: a test's patience with a busy machine, nobody's promise) is the deadline, `everyMs` (default 10) how long it waits before it asks again;
 * `what` is named when it passes.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  within: number | { ms?: number; everyMs?: number; what?: string } = {},
): Promise<Exclude<T, Falsy>> {
  const {
    ms = 15_000,
    everyMs = 10,
    what = 'the expected state',
  } = typeof within === 'number' ? { ms: within } : within;
  let cause: unknown;
  for (const deadline = performance.now() + ms; ;) {
    try {
      const value = await probe();
      if (value) return value as Exclude<T, Falsy>;
      cause = `the last answer was ${Bun.inspect(value)}`;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain for ${what}`, { cause });
    await Bun.sleep(everyMs);
  }
}
