import { createTurns } from './turns.ts';

export type Passwords = ReturnType<typeof createPasswords>;

/** 75 ms of one core (measured): a login is felt by whoever guesses, not by whoever knows. */
const COST = 10;
/** Each costs a core; more at once only take the cores from everything else. */
const AT_ONCE = 2;
/** Four seconds' worth on two cores: who comes later is told to come back. */
const MAX_WAITING = 100;
const MAX_BYTES = 72;

/**
 * Compared when there is no account, so that an unknown email takes as long as a wrong password. Of a random text that
 * nobody kept; its cost must equal COST.
 */
export const NOBODY = '$2b$10$y09NkhvfQnP9vaqMbJNR6eSTgKTNru5gYWBqbmfrqILktDYAozLkm';

/** Why a password may not be taken, or null. 72 bytes is bcrypt's limit: longer is refused, never cut. */
export function passwordProblem(password: string): string | null {
  if ([...password].length < 8) return 'The password needs at least 8 characters.';
  if (!/\p{Lu}/u.test(password)) return 'The password needs an upper-case letter.';
  if (!/\p{Nd}/u.test(password)) return 'The password needs a digit.';
  if (Buffer.byteLength(password) > MAX_BYTES) return `The password must not be longer than ${MAX_BYTES} bytes.`;
  return null;
}

/** bcrypt, two at a time. Phase IV verifies these hashes after a rollback, so the algorithm stays. */
export function createPasswords() {
  const inTurn = createTurns({ atOnce: AT_ONCE, maxWaiting: MAX_WAITING });
  return {
    hash: (password: string): Promise<string> =>
      inTurn(() => Bun.password.hash(password, { algorithm: 'bcrypt', cost: COST })),
    verify: (password: string, hash: string): Promise<boolean> =>
      inTurn(() => Bun.password.verify(password, hash, 'bcrypt')),
  };
}
