import { networkOf } from '#shared/address';
import { isCommon } from './common-passwords.ts';
import { hashOf, isOf } from './hashing.ts';
import { createTurns } from './turns.ts';

export type Passwords = ReturnType<typeof createPasswords>;

/** 75 ms of one core (measured): a login is felt by whoever guesses, not by whoever knows. */
const COST = 10;
/** Each costs a core: 13 logins a second of a replica. */
const AT_ONCE = 1;
/** Of one network: a second and a half's worth, and many for one office. */
const MAX_IN_LANE = 20;
/** Of strangers, and of known devices: in all under five seconds' worth, as a request is given up after nine. */
const MAX_WAITING = 30;
/** Bits of an IPv6 network that share a lane: who has one /64 often has all of its /48 (RFC 6177), for nothing. */
const LANE_BITS = 48;
const MAX_BYTES = 72;

/**
 * Compared when there is no account, so that an unknown email takes as long as a wrong password. Of a random text that
 * nobody kept; its cost must equal COST.
 */
export const NOBODY = '$2b$10$y09NkhvfQnP9vaqMbJNR6eSTgKTNru5gYWBqbmfrqILktDYAozLkm';

/** Whether a password is longer than any can be. 72 bytes is bcrypt's limit: longer is refused, never cut. */
export const isTooLongPassword = (password: string): boolean => Buffer.byteLength(password) > MAX_BYTES;

/** Why a password may not be taken, or null. */
export function passwordProblem(password: string): string | null {
  if (isTooLongPassword(password)) return `The password must not be longer than ${MAX_BYTES} bytes.`;
  if ([...password].length < 8) return 'The password needs at least 8 characters.';
  if (!/\p{Lu}/u.test(password)) return 'The password needs an upper-case letter.';
  if (!/\p{Nd}/u.test(password)) return 'The password needs a digit.';
  if (isCommon(password)) return 'This is one of the most common passwords, which are tried first. Choose another.';
  return null;
}

/** Who asks for a hash: an address, and whether it is of an account's own device or session. */
export interface Asking {
  address: string;
  isKnown: boolean;
}

/**
 * bcrypt, one at a time, in turns between the networks that the callers' addresses belong to, and between strangers and
 * the devices that have logged in before: whoever has many networks keeps out strangers, and not these. Phase IV
 * verifies these hashes after a rollback, so the algorithm stays. Both throw {ApiError} 429 when too many wait.
 */
export function createPasswords() {
  const inTurn = createTurns({ atOnce: AT_ONCE, maxInLane: MAX_IN_LANE, maxWaiting: MAX_WAITING });
  const placeOf = ({ address, isKnown }: Asking) => ({
    group: isKnown ? 'known' : 'strangers',
    lane: networkOf(address, LANE_BITS),
  });
  return {
    hash: (password: string, asking: Asking): Promise<string> => inTurn(placeOf(asking), () => hashOf(password, COST)),
    verify: (password: string, hash: string, asking: Asking): Promise<boolean> =>
      inTurn(placeOf(asking), () => isOf(password, hash)),
  };
}
