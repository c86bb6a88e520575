/** One Ctrl-C arrives twice under npx and `bun run`, a millisecond apart: only a later one is a second. */
const SAME_PRESS_MS = 1500;

export type Signals = {
  /** The name of the first signal that asks to stop. */
  first: Promise<string>;
  isStopping(): boolean;
  /** Called at a second Ctrl-C: the person does not want to wait. */
  onHurry(hurry: () => void): void;
};

/** Takes over SIGINT, SIGTERM and SIGHUP (a closed terminal), which all ask for the same ordered stop. */
export function watchSignals(now: () => number = () => performance.now()): Signals {
  const { promise, resolve } = Promise.withResolvers<string>();
  let firstAt: number | undefined;
  let hurry = () => {};
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (firstAt === undefined) {
        firstAt = now();
        resolve(signal);
      } else if (now() - firstAt > SAME_PRESS_MS) hurry();
    });
  }
  return {
    first: promise,
    isStopping: () => firstAt !== undefined,
    onHurry(then) {
      hurry = then;
    },
  };
}
