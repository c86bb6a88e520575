/** Runs `work` `perSecond` times a second for `seconds`, whether or not earlier ones have ended (open loop). */
export async function atRate(perSecond: number, seconds: number, work: (i: number) => Promise<void>): Promise<void> {
  const running: Promise<void>[] = [];
  const startedAt = performance.now();
  for (let i = 0; i < perSecond * seconds;) {
    const due = Math.min(perSecond * seconds, Math.floor(((performance.now() - startedAt) / 1000) * perSecond) + 1);
    for (; i < due; i++) running.push(work(i));
    await Bun.sleep(1);
  }
  await Promise.all(running);
}

/** Runs `work` `count` times, `inFlight` of them at once, each next one when an earlier has ended (closed loop). */
export async function inTurns(count: number, inFlight: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const loop = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
}
