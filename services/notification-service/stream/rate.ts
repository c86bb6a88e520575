/**
 * At most `limit` in any span of `windowMs`, exactly: it remembers the times of the last `limit`. A bucket would let
 * twice as many through in its first window. `now` in ms of a monotonic clock. A class: each stream has one.
 */
export class Rate {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #times: number[] = [];

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Takes one and answers 0, or takes none and answers how many ms to wait. */
  take(now: number): number {
    const oldest = this.#times.at(-this.#limit);
    const waitMs = oldest === undefined ? 0 : oldest + this.#windowMs - now;
    if (waitMs > 0) return waitMs;
    this.#times.push(now);
    if (this.#times.length > this.#limit) this.#times.shift();
    return 0;
  }
}
