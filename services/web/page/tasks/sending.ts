import { effect, signal } from '@preact/signals';
import { ApiError } from '../api.ts';

const AGAIN_MS = 5_000;
/** An answer that takes longer is waited for before the tab is closed. */
const MOMENT_MS = 1_000;

type Links = {
  /** Resolves when a session that has ended is one again, or is left for good. */
  untilSignedIn: () => Promise<void>;
  /** What the server refuses of a task, for good. */
  refused: (id: string, error: ApiError, title: string | undefined) => void;
  /** Nothing of a task is under way any more. */
  settled: (id: string) => void;
};

/** Sends changes: those of one task in order, each again for as long as nobody can answer or nobody is signed in. */
export function createSending({ untilSignedIn, refused, settled }: Links) {
  const waiting = signal(0);
  const trouble = signal<ApiError | null>(null);
  const last = new Map<string, Promise<void>>();
  /** Since when there has always been a change that waits. */
  let since = 0;
  let life = new AbortController();
  let next = Promise.withResolvers<void>();

  async function untilAnswered(work: () => Promise<void>, left: AbortSignal): Promise<void> {
    while (!left.aborted) {
      try {
        await work();
        trouble.value = null;
        return;
      } catch (error) {
        if (!(error instanceof ApiError) || left.aborted) throw error;
        const isRefused = !error.passes && error.status !== 401;
        trouble.value = isRefused ? null : error;
        if (isRefused) throw error;
        await (error.status === 401 ? untilSignedIn() : pause(error.retryAfterMs ?? AGAIN_MS, next.promise));
      }
    }
  }

  return {
    /** How many changes are not answered yet. */
    waiting,
    /** Why the last request was not answered; null: it was. */
    trouble,
    /** Runs `work` after what is under way for the task, of which `title` is said should it be gone by then. */
    async inTurn(id: string, work: () => Promise<void>, title?: string): Promise<void> {
      const { signal: left } = life;
      if (waiting.value++ === 0) since = Date.now();
      const before = last.get(id);
      const mine = (async () => {
        await before;
        try {
          await untilAnswered(work, left);
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          if (!left.aborted) refused(id, error, title);
        }
      })();
      last.set(id, mine);
      await mine;
      if (left.aborted) return;
      waiting.value--;
      if (last.get(id) !== mine) return;
      last.delete(id);
      settled(id);
    },
    /** Whether something is not answered that would be, if all was well. */
    isLate: () => waiting.value > 0 && (trouble.value !== null || Date.now() - since > MOMENT_MS),
    /** There is a way again: what waits is tried at once. */
    again(): void {
      next.resolve();
      next = Promise.withResolvers();
      if (waiting.value === 0) trouble.value = null;
    },
    /** Resolves when all is answered. @throws {ApiError} why it cannot be now */
    async allAnswered(): Promise<void> {
      await until(() => waiting.value === 0 || trouble.value !== null);
      if (waiting.value > 0 && trouble.value) throw trouble.value;
    },
    /** Forgets what waits: it is not sent in the name of whoever signs in next. */
    drop(): void {
      life.abort();
      life = new AbortController();
      last.clear();
      waiting.value = 0;
      trouble.value = null;
    },
  };
}

const pause = (ms: number, unless: Promise<void>): Promise<void> =>
  Promise.race([new Promise<void>((resolve) => setTimeout(resolve, ms)), unless]);

/** Resolves once it is so, which signals say. */
export function until(isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = effect(() => {
      if (isSo()) queueMicrotask(() => (stop(), resolve()));
    });
  });
}
