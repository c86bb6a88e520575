import { isUuid } from '#shared/correlation';
import { isDuplicate, type Pool, type Sql } from '#shared/db';
import { ApiError } from '#shared/errors';
import type { Log } from '#shared/log';
import { isTimezone } from '#shared/zone';
import { forgetResets, useCode } from './codes.ts';
import { emailProblem, isTooLongEmail, namedBy, normalized } from './email.ts';
import type { Login, Me, Signup } from './model.ts';
import { type Asking, isTooLongPassword, NOBODY, type Passwords, passwordProblem } from './passwords.ts';
import { endReused, rotate } from './refresh-tokens.ts';
import { type Caller, endSession, isDeviceOf, listSessions, logOut, openSession, revokeSessions } from './sessions.ts';

export type Accounts = ReturnType<typeof createAccounts>;

/**
 * The rules of accounts. With `isPhase4` no column of Phase V is written, and those read go through jsonb: the same
 * code runs on the Phase IV schema alone.
 */
export function createAccounts({
  sql,
  passwords,
  signup,
  adminEmails,
  refreshSeconds,
  isPhase4,
  log,
}: {
  sql: Pool;
  passwords: Passwords;
  signup: 'open' | 'invite' | 'closed';
  adminEmails: string[];
  refreshSeconds: number;
  isPhase4: boolean;
  log: Log;
}) {
  const admins = new Set(isPhase4 ? [] : adminEmails.map(normalized));

  const warnedOf = new Set<string>();

  async function opened(tx: Sql, account: Account, caller: Caller): Promise<Login> {
    const { id, email, created_at, role } = account;
    const isNewAdmin = role === null && admins.has(email) && mayBeAdmin(account);
    if (isNewAdmin) await makeAdmin(tx, id);
    const session = await openSession(tx, id, { refreshSeconds, isPhase4, caller });
    const user = { id, email, created_at: created_at.toISOString() };
    return { user, role: isNewAdmin ? 'admin' : role, ...session };
  }

  /** Whoever signs up first with an address has it: only an invitation says that the operator knows who that is. */
  function mayBeAdmin({ id, email, is_invited }: Account): boolean {
    if (!is_invited && !warnedOf.has(id)) {
      warnedOf.add(id);
      log.warn('ADMIN_EMAILS names an account that no invitation made; `ops chat-api users admin` makes it an admin', {
        user_id: id,
        email,
      });
    }
    return is_invited;
  }

  /** Whether an invitation is spent on this sign-up. @throws {ApiError} 400 when it needs one, or comes with a bad one */
  async function invited(tx: Sql, email: string, code: string): Promise<boolean> {
    if (code.trim() === '' && signup === 'open') return false;
    if ((await useCode(tx, 'invite', code)) === email) return true;
    throw refusedSignup(
      'Sign-up needs an invitation code that was printed for this email and is neither used nor old.',
    );
  }

  return {
    /** @throws {ApiError} 400 SIGNUP_ERROR: bad email, weak password, duplicate, or sign-up is not open to this caller */
    async signUp({ email: given, password, timezone, invite_code }: Signup, caller: Caller): Promise<Login> {
      if (signup === 'closed') throw refusedSignup('Sign-up is closed on this installation.');
      const email = normalized(given);
      const invalid = emailProblem(email) ?? passwordProblem(password) ?? (isPhase4 ? null : timezoneProblem(timezone));
      if (invalid !== null) throw refusedSignup(invalid);
      const passwordHash = await passwords.hash(password, caller);
      return sql.begin(async (tx) => {
        const isInvited = await invited(tx, email, invite_code ?? '');
        const more = { ...(timezone !== undefined && { timezone }), ...(isInvited && { invited_at: new Date() }) };
        const account = await insertUser(tx, { email, passwordHash, more: isPhase4 ? {} : more });
        return opened(tx, account, caller);
      });
    },

    /** @throws {ApiError} 401 INVALID_CREDENTIALS, the same and as late for an unknown email as for a wrong password */
    async logIn({ email, password }: { email: string; password: string }, caller: Caller): Promise<Login> {
      const account = await accountBy(sql, email);
      const isRight = await passwords.verify(password, account?.password_hash ?? NOBODY, caller);
      if (!account || !isRight || account.is_disabled) throw wrongCredentials();
      return sql.begin(async (tx) => {
        await hold(tx, account);
        return opened(tx, account, caller);
      });
    },

    /** The device token, if it is of a device on which this account has logged in before; else null. */
    async knownDevice(email: string, deviceToken: string | null): Promise<string | null> {
      if (isPhase4 || deviceToken === null) return null;
      return (await isDeviceOf(sql, email, deviceToken)) ? deviceToken : null;
    },

    /** Exchanges a refresh token; one used too late ends its session. @throws {ApiError} 401 INVALID_REFRESH_TOKEN */
    async refresh(token: string): Promise<Login> {
      const login = await rotate(sql, token, refreshSeconds);
      if (login) return login;
      const ended = await endReused(sql, token);
      if (ended) log.warn('refresh token used again, session revoked', { ...ended });
      throw new ApiError(
        401,
        'INVALID_REFRESH_TOKEN',
        'This refresh token is unknown, expired or used. Please log in.',
      );
    },

    /** Ends all other sessions and API tokens. @throws {ApiError} 401 for a wrong current one, 400 for a weak new one */
    async changePassword(
      { userId, sid }: { userId: string; sid: string },
      { current, new: wanted }: { current: string; new: string },
      asking: Asking,
    ): Promise<void> {
      if (isTooLongPassword(current)) throw wrongCredentials();
      requireStrong(wanted);
      const account = await accountById(sql, userId);
      if (!account || !(await passwords.verify(current, account.password_hash, asking))) throw wrongCredentials();
      const passwordHash = await passwords.hash(wanted, asking);
      await sql.begin(async (tx) => {
        await forgetResets(tx, account.email); // the code before the account, as a reset takes them
        await hold(tx, account);
        await setPassword(tx, userId, passwordHash);
        await revokeSessions(tx, userId, sid);
      });
    },

    /** Spends a reset code and ends all sessions and API tokens. @throws {ApiError} 400 PASSWORD_ERROR */
    async resetPassword({ code, new: wanted }: { code: string; new: string }, asking: Asking): Promise<void> {
      requireStrong(wanted);
      const passwordHash = await passwords.hash(wanted, asking);
      await sql.begin(async (tx) => {
        const email = await useCode(tx, 'reset', code);
        const account = email === null ? undefined : await accountBy(tx, email);
        if (!account) throw refusedPassword('This code is unknown, expired or used.');
        await setPassword(tx, account.id, passwordHash);
        await revokeSessions(tx, account.id, null);
      });
    },

    /** The living sessions of a user, newest first; `sid` is the current one. */
    sessions: (userId: string, sid: string) => listSessions(sql, userId, sid),

    logOut: (userId: string, sid: string) => logOut(sql, userId, sid, isPhase4),

    /** @throws {ApiError} 404 unless the user has this session */
    async endSession(userId: string, sid: string): Promise<void> {
      if (isUuid(sid) && (await endSession(sql, userId, sid))) return;
      throw new ApiError(404, 'SESSION_NOT_FOUND', 'You have no such session.');
    },

    /** Undefined when deleted or disabled. Only of an admin the role is told. */
    async findUser(id: string): Promise<Me | undefined> {
      const account = await accountById(sql, id);
      if (!account || account.is_disabled) return undefined;
      const { email, created_at, role } = account;
      return { id, email, created_at: created_at.toISOString(), ...(role !== null && { role }) };
    },
  };
}

/**
 * Spends no look into the database and no hash on what no account can have. The email in its one form.
 * @throws {ApiError} 401 as for any wrong one
 */
export function refuseTooLong({ email, password }: { email: string; password: string }): void {
  if (isTooLongEmail(email) || isTooLongPassword(password)) throw wrongCredentials();
}

interface Account {
  id: string;
  email: string;
  password_hash: string;
  created_at: Date;
  role: 'admin' | null;
  is_disabled: boolean;
  is_invited: boolean;
}

async function insertUser(
  sql: Sql,
  {
    email,
    passwordHash,
    more,
  }: { email: string; passwordHash: string; more: { timezone?: string; invited_at?: Date } },
): Promise<Account> {
  const row = { id: Bun.randomUUIDv7(), email, password_hash: passwordHash, ...more };
  try {
    const [account] = await sql<Account[]>`
      insert into users ${sql(row)} returning ${accountColumns(sql)}`;
    if (!account) throw new Error('an insert returned no row');
    return account;
  } catch (error) {
    if (isDuplicate(error)) throw refusedSignup('This email has an account already.');
    throw error;
  }
}

async function accountBy(sql: Sql, email: string): Promise<Account | undefined> {
  const [account] = await sql<Account[]>`select ${accountColumns(sql)} from users where ${namedBy(sql, email)}`;
  return account;
}

async function accountById(sql: Sql, id: string): Promise<Account | undefined> {
  const [account] = await sql<Account[]>`select ${accountColumns(sql)} from users where id = ${id}`;
  return account;
}

/**
 * Nobody changes the account until the transaction ends. Checking a password takes long, seconds in a queue: a session
 * opened after it must not outlive the change of password or the lock-out that came meanwhile.
 * @throws {ApiError} 401 when the password is another one by now, or the account is disabled
 */
async function hold(tx: Sql, { id, password_hash }: Account): Promise<void> {
  const rows = await tx`
    select 1 from users where id = ${id} and password_hash = ${password_hash} and to_jsonb(users) ->> 'disabled_at' is null
    for no key update`;
  if (rows.length === 0) throw wrongCredentials();
}

const accountColumns = (sql: Sql) => sql`
  id, email, password_hash, created_at, to_jsonb(users) ->> 'role' as role,
  to_jsonb(users) ->> 'disabled_at' is not null as is_disabled,
  to_jsonb(users) ->> 'invited_at' is not null as is_invited`;

async function setPassword(sql: Sql, userId: string, passwordHash: string): Promise<void> {
  await sql`update users set password_hash = ${passwordHash}, updated_at = now() where id = ${userId}`;
}

async function makeAdmin(sql: Sql, userId: string): Promise<void> {
  await sql`update users set role = 'admin', updated_at = now() where id = ${userId}`;
}

/** @throws {ApiError} 400 PASSWORD_ERROR, before a hash is spent on it */
function requireStrong(wanted: string): void {
  const weak = passwordProblem(wanted);
  if (weak !== null) throw refusedPassword(weak);
}

const timezoneProblem = (timezone: string | undefined): string | null =>
  timezone === undefined || isTimezone(timezone) ? null : 'The timezone must be an IANA name, such as Europe/Berlin.';

const refusedSignup = (message: string) => new ApiError(400, 'SIGNUP_ERROR', message);
const refusedPassword = (message: string) => new ApiError(400, 'PASSWORD_ERROR', message);
const wrongCredentials = () => new ApiError(401, 'INVALID_CREDENTIALS', 'Email or password is wrong.');
