import { ApiError } from '#shared/errors';
import { createWindow, type Permit } from '#shared/rate-limit';
import { sha256 } from '#shared/auth';
import { networkOf } from './address.ts';

export type Limits = ReturnType<typeof createLimits>;

const MINUTE_MS = 60_000;

/**
 * Slows down who guesses (CONTRACT 3): failed logins an account in 5 minutes, sign-ups and failures an address (of IPv6:
 * a /64) in a minute. Per replica and in memory. An account is limited whether it exists or not.
 */
export function createLimits({
  loginFailures,
  addressAttempts,
  now = Date.now,
}: {
  loginFailures: number;
  addressAttempts: number;
  now?: () => number;
}) {
  const accounts = createWindow({ limit: loginFailures, windowMs: 5 * MINUTE_MS });
  const addresses = createWindow({ limit: addressAttempts, windowMs: MINUTE_MS });

  return {
    /** Counts one attempt of an address, whatever comes of it. @throws {ApiError} 429 */
    countAttempt(address: string): void {
      refuseUnless(addresses.take(networkOf(address), now()));
    },

    /**
     * Runs `work` and counts it only if the caller is to blame: an `ApiError` below 500. Counted before it runs and
     * given back after, so that attempts at the same time cannot pass together.
     * @throws {ApiError} 429 without running it
     */
    async countFailure<T>({ address, email }: { address: string; email?: string }, work: () => Promise<T>): Promise<T> {
      const account = email === undefined ? undefined : sha256(email).toString('base64'); // bounds what a key may hold
      const network = networkOf(address);
      refuseUnless(addresses.take(network, now()));
      if (account !== undefined) refuseUnless(accounts.take(account, now()));
      const giveBack = () => {
        addresses.giveBack(network);
        if (account !== undefined) accounts.giveBack(account);
      };
      try {
        const result = await work();
        giveBack();
        return result;
      } catch (error) {
        if (!(error instanceof ApiError) || error.status >= 429) giveBack();
        throw error;
      }
    },
  };
}

function refuseUnless({ ok, retryAfterMs }: Permit): void {
  if (ok) return;
  throw new ApiError(429, 'RATE_LIMITED', 'Too many attempts. Please wait before you try again.', {
    headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) },
  });
}
