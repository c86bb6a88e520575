/**
 * Runs `work` again and again until it is stopped, `everyMs` after it has ended. What it throws is told once, since a cluster
 * that is just coming refuses this and that; whoever waits for what the work brings about, waits in vain.
 */
export function repeat(
  work: () => Promise<void>,
  { everyMs, say }: { everyMs: number; say: (line: string) => void },
): { stop(): Promise<void> } {
  const ended = Promise.withResolvers<void>();
  const told = new Set<string>();
  let runs = true;
  const tell = (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    if (runs && !told.has(reason)) say(reason);
    told.add(reason);
  };
  const loop = (async () => {
    while (runs) {
      await work().catch(tell);
      await Promise.race([Bun.sleep(everyMs), ended.promise]);
    }
  })();
  return {
    async stop() {
      runs = false;
      ended.resolve();
      await loop;
    },
  };
}
