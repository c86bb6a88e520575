import { clientAddress, createTrust, networkOf, socketAddress } from './address.ts';
import { listOf } from './config.ts';
import { lateness } from './deadline.ts';
import { atEnd, createPlaces } from './places.ts';
import { createRecent, createTokenBucket, createWindow, type Permit, rateLimited } from './rate-limit.ts';

/** Who is counted: a person, by whatever they show, or a service of ours. */
export interface Caller {
  type: 'user' | 'token' | 'service';
  /** Empty for a service. */
  userId: string;
}

export type Callers = ReturnType<typeof createCallers>;

const MINUTE_MS = 60_000;
/** How long an API token that was good may be looked up however many others its address shows. */
const KNOWN_MS = 60 * MINUTE_MS;
const MAX_KNOWN = 10_000;

/** The settings of `apiConfig`. */
interface Settings {
  DATABASE_POOL: number;
  REQUESTS_PER_SECOND: number;
  REQUESTS_BURST: number;
  REQUESTS_AT_ONCE: number;
  ADDRESS_REFUSALS: number;
  TRUSTED_PROXIES: string;
}

/** How much a service does for one caller. Per replica and in memory; all throw {ApiError} 429 RATE_LIMITED. */
export function createCallers(settings: Settings, { now = Date.now }: { now?: () => number } = {}) {
  const isTrusted = createTrust(listOf(settings.TRUSTED_PROXIES));
  const requests = createTokenBucket({
    capacity: settings.REQUESTS_BURST,
    refillPerSecond: settings.REQUESTS_PER_SECOND,
  });
  // Half of the connections are for others, and one of his half for what has a place of another kind.
  const most = Math.max(1, Math.floor(settings.DATABASE_POOL / 2) - 1);
  const places = createPlaces({ perKey: Math.min(settings.REQUESTS_AT_ONCE, most) });
  const refusals = createWindow({ limit: settings.ADDRESS_REFUSALS, windowMs: MINUTE_MS });
  const known = createRecent<number>(MAX_KNOWN);

  return {
    /** Counts a request of a user, whatever the session or token. Services of ours are bound by nothing. */
    countRequest({ type, userId }: Caller): void {
      if (type !== 'service') refuseUnless(requests.take(userId, now()), 'Too many requests of one user.');
    },

    /** Resolves when few enough requests of this user are under way, whose work may hold a connection each; null: at once. */
    takePlace(request: Request, { type, userId }: Caller): Promise<void> | null {
      const place = type === 'service' ? () => {} : places.take(userId, lateness(request));
      if (place instanceof Promise) return place.then((leave) => atEnd(request, leave));
      atEnd(request, place);
      return null;
    },

    /**
     * Looks up an opaque token, of which anybody can make up as many as he likes. Those that are none of ours count
     * against the network they come from; when that has shown too many, only tokens that were good lately are looked up.
     */
    async lookUp<T>(request: Request, token: string, look: () => Promise<T | undefined>): Promise<T | undefined> {
      const network = networkOf(clientAddress(request, socketAddress(request), isTrusted));
      const isKnown = now() - (known.get(token) ?? -Infinity) < KNOWN_MS;
      const found = isKnown || network === '' ? await look() : await counted(network, look);
      if (found === undefined) known.delete(token);
      else known.set(token, now());
      return found;
    },
  };

  /** Counted before the look and given back after, so that looks at the same time cannot pass together. */
  async function counted<T>(network: string, look: () => Promise<T | undefined>): Promise<T | undefined> {
    refuseUnless(refusals.take(network, now()), 'Too many tokens from this address that are none.');
    const giveBack = () => refusals.giveBack(network);
    const found = await look().catch((error: unknown) => {
      giveBack();
      throw error;
    });
    if (found !== undefined) giveBack();
    return found;
  }
}

function refuseUnless({ ok, retryAfterMs }: Permit, message: string): void {
  if (!ok) throw rateLimited(`${message} Please wait before you try again.`, retryAfterMs);
}
