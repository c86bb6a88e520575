import { ApiError } from '#shared/errors';
import { createWindow, rateLimited } from '#shared/rate-limit';
import { sha256 } from '#shared/auth';
import { networkOf } from '#shared/address';

export type Limits = ReturnType<typeof createLimits>;

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
/** Of one session in 10 s, the grace of a refresh token: a browser with as many tabs, which all refresh as it starts. */
const SESSION_REFRESHES = 20;

interface Settings {
  /** Of an account in one network or on one device, and tries at the password of one session, in 5 minutes. */
  loginFailures: number;
  /** Of an account in all networks together, in 5 minutes. */
  accountFailures: number;
  /** Sign-ups and failures of a network in a minute. */
  addressAttempts: number;
  /** What costs a password hash, of a network in a minute, also when it succeeds. */
  addressLogins: number;
  /** Of a network in a minute, also when they succeed. */
  addressRefreshes: number;
  now?: () => number;
}

type Count = [window: ReturnType<typeof createWindow>, key: string];

/**
 * Slows down who guesses, and who takes more than a share (CONTRACT 3). Per replica and in memory. A network is an IPv4
 * address or an IPv6 /64; an account is limited whether it exists or not. What is refused is not counted. All throw
 * {ApiError} 429 without running the work they are given.
 */
export function createLimits({ now = Date.now, ...settings }: Settings) {
  const inFiveMinutes = (limit: number) => createWindow({ limit, windowMs: 5 * MINUTE_MS });
  const inAMinute = (limit: number) => createWindow({ limit, windowMs: MINUTE_MS });
  const logins = inFiveMinutes(settings.loginFailures);
  const accounts = inFiveMinutes(settings.accountFailures);
  const devices = inFiveMinutes(settings.loginFailures);
  const passwords = inFiveMinutes(settings.loginFailures);
  const attempts = inAMinute(settings.addressAttempts);
  const hashes = inAMinute(settings.addressLogins);
  const refreshes = inAMinute(settings.addressRefreshes);
  const families = createWindow({ limit: SESSION_REFRESHES, windowMs: 10 * SECOND_MS });

  function take(counts: Count[]): void {
    for (const [i, [window, key]] of counts.entries()) {
      const { ok, retryAfterMs } = window.take(key, now());
      if (ok) continue;
      giveBack(counts.slice(0, i));
      throw tooMany(retryAfterMs);
    }
  }

  /**
   * Runs `work` and counts it among `failures` only if the caller is to blame: an `ApiError` below 429. Counted before
   * it runs and given back after, so that attempts at the same time cannot pass together.
   */
  async function attempt<T>({ failures, always }: Record<'failures' | 'always', Count[]>, work: () => Promise<T>) {
    take([...failures, ...always]);
    try {
      const result = await work();
      giveBack(failures);
      return result;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status >= 429) giveBack(failures);
      throw error;
    }
  }

  return {
    signUp(address: string): void {
      const network = networkOf(address);
      take([
        [attempts, network],
        [hashes, network],
      ]);
    },

    /**
     * `device`: the token of one on which the account has logged in before. It has a window of its own in place of
     * those that strangers can fill, so that they cannot lock the owner out (OWASP, device cookies).
     */
    logIn<T>(
      { address, email, device }: { address: string; email: string; device: string | null },
      work: () => Promise<T>,
    ): Promise<T> {
      const network = networkOf(address);
      const account = keyOf(email);
      const ofStrangers: Count[] = [
        [attempts, network],
        [logins, `${account} ${network}`],
        [accounts, account],
      ];
      const failures: Count[] = device === null ? ofStrangers : [[devices, keyOf(device)]];
      return attempt({ failures, always: [[hashes, network]] }, work);
    },

    refresh<T>({ address, family }: { address: string; family: string }, work: () => Promise<T>): Promise<T> {
      const network = networkOf(address);
      const always: Count[] = [
        [refreshes, network],
        [families, keyOf(family)],
      ];
      return attempt({ failures: [[attempts, network]], always }, work);
    },

    resetPassword<T>(address: string, work: () => Promise<T>): Promise<T> {
      const network = networkOf(address);
      return attempt({ failures: [[attempts, network]], always: [[hashes, network]] }, work);
    },

    /**
     * By session: a stolen one must not guess on, and neither it nor who fails to log in may keep the owner from
     * changing the password in a session of their own.
     */
    changePassword({ address, sid }: { address: string; sid: string }): void {
      take([
        [passwords, sid],
        [hashes, networkOf(address)],
      ]);
    },
  };
}

/** Bounds what a window keeps of what a caller sent. */
const keyOf = (text: string): string => sha256(text).toString('base64');

const giveBack = (counts: Count[]): void => counts.forEach(([window, key]) => window.giveBack(key));

const tooMany = (retryAfterMs: number) =>
  rateLimited('Too many attempts. Please wait before you try again.', retryAfterMs);
