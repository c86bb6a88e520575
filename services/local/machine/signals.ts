import { isAlive, npxAbove } from './processes.ts';

/** One Ctrl-C arrives twice under npx and `bun run`, a millisecond apart: only a later one is a second. */
const SAME_PRESS_MS = 1500;
/** How often npx is looked for. */
const LOOK_MS = 250;

export type Signals = {
  /** What first asked to stop, for a person. */
  first: Promise<string>;
  isStopping(): boolean;
  /** Called at a second Ctrl-C: the person does not want to wait. */
  onHurry(hurry: () => void): void;
};

/** Takes over SIGINT, SIGTERM, SIGHUP (a closed terminal) and npx's end, which all ask for the same ordered stop. */
export function watchSignals(): Signals {
  const { promise, resolve } = Promise.withResolvers<string>();
  let firstAt: number | undefined;
  let hurry = () => {};
  const ask = (reason: string) => {
    firstAt ??= performance.now();
    resolve(reason);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (firstAt !== undefined && performance.now() - firstAt > SAME_PRESS_MS) hurry();
      ask(signal);
    });
  }
  const npx = npxAbove();
  if (npx) setInterval(() => isAlive(npx) || ask('npx was ended'), LOOK_MS).unref();
  return {
    first: promise,
    isStopping: () => firstAt !== undefined,
    onHurry(then) {
      hurry = then;
    },
  };
}
