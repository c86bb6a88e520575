import { ApiError } from '../api.ts';

const AGAIN_MS = 5_000;

/**
 * Asks at once and, as long as nobody can answer, again and again, until it is told to stop: how, is answered. A reason that
 * stays the same is told once.
 */
export function asking<T>(
  ask: () => Promise<T>,
  take: (answer: T) => void,
  refused: (error: ApiError) => void,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isWanted = true;
  let told = '';
  async function run(): Promise<void> {
    try {
      const answer = await ask();
      if (isWanted) take(answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!isWanted) return;
      if (error.message !== told) refused(error);
      told = error.message;
      if (error.passes) timer = setTimeout(run, error.retryAfterMs ?? AGAIN_MS);
    }
  }
  void run();
  return () => {
    isWanted = false;
    clearTimeout(timer);
  };
}
