import type { Pool, Sql } from '#shared/db';
import { CommandError, type Group, listing, type Result, toSecond } from '#shared/ops';
import { forgetResets, issueCode } from '../auth/codes.ts';
import { emailProblem, namedBy, normalized } from '../auth/email.ts';
import { revokeSessions } from '../auth/sessions.ts';
import { deleteAllTasks } from '../tasks/delete.ts';
import { MAX_USERS, seedCount, seedUsers } from './seed.ts';

/** Accounts from the operator's side: `users <command>`. All may be repeated. */
export const users: Group = {
  list: {
    takes: [],
    does: 'every account',
    run: async ({ sql }) => listing(await listUsers(sql), columns, 'There are no accounts.'),
  },
  admin: {
    takes: ['email'],
    does: 'make this account an admin',
    async run({ sql }, [email]) {
      const user = await found(sql, email);
      await sql`update users set role = 'admin', updated_at = now() where id = ${user.id}`;
      return done(user, `${user.email} is an admin. Their next token says so; log in again or refresh.`);
    },
  },
  invite: {
    takes: ['email'],
    does: 'print a code with which this email can sign up, once, within 7 days',
    async run({ sql }, [given = '']) {
      const email = normalized(given);
      const problem = emailProblem(email);
      if (problem !== null) throw new CommandError(problem);
      if (await findUser(sql, email)) throw new CommandError(`${email} has an account already.`);
      return codeFor(email, await issueCode(sql, 'invite', email), `sign up as ${email} with invite_code`);
    },
  },
  'reset-password': {
    takes: ['email'],
    does: 'print a code with which this account can set a new password, once, within a day',
    async run({ sql }, [given]) {
      const { email } = await found(sql, given);
      return codeFor(email, await issueCode(sql, 'reset', email), 'POST /api/v1/auth/password/reset {code, new}');
    },
  },
  disable: {
    takes: ['email'],
    does: 'lock this account out and end its sessions; its tasks stay',
    async run({ sql }, [email]) {
      const user = await found(sql, email);
      await disable(sql, user);
      return done(user, `${user.email} is disabled.`);
    },
  },
  enable: {
    takes: ['email'],
    does: 'let a disabled account log in again',
    async run({ sql }, [email]) {
      const user = await found(sql, email);
      await sql`update users set disabled_at = null, updated_at = now() where id = ${user.id}`;
      return done(user, `${user.email} is enabled.`);
    },
  },
  seed: {
    takes: [],
    flags: { users: 'count' },
    does: 'make accounts for load tools, a line of JSON each: email, and a token for 7 days',
    async run({ sql }, _words, { users: given = '' }) {
      const count = seedCount(String(given));
      if (count === null) throw new CommandError(`Give --users a number from 1 to ${MAX_USERS}.`);
      const people = await seedUsers(sql, count);
      return { data: people, text: people.map((person) => JSON.stringify(person)).join('\n') };
    },
  },
  delete: {
    takes: ['email'],
    does: 'delete this account and its tasks, each with its event',
    async run({ sql, operator }, [email]) {
      const user = await found(sql, email);
      await disable(sql, user);
      let count = 0;
      // A request that was let in before may still add a task; it must not go without its event.
      do count += await deleteAllTasks(sql, user.id, { type: 'operator', id: operator, name: operator });
      while (!(await deleteWithoutTasks(sql, user.id)));
      const tasks = count === 1 ? '1 task' : `${count} tasks`;
      return { data: { email: user.email, tasks: count }, text: `${user.email} is deleted, with ${tasks}.` };
    },
  },
};

interface User {
  id: string;
  email: string;
  role: string | null;
  created_at: Date;
  disabled_at: Date | null;
}

function listUsers(sql: Sql): Promise<User[]> {
  return sql<User[]>`select id, email, role, created_at, disabled_at from users order by email`;
}

async function findUser(sql: Sql, email: string): Promise<User | undefined> {
  const [user] = await sql<User[]>`
    select id, email, role, created_at, disabled_at from users where ${namedBy(sql, email)}`;
  return user;
}

async function found(sql: Sql, email = ''): Promise<User> {
  const user = await findUser(sql, email);
  if (!user) throw new CommandError(emailProblem(normalized(email)) ?? `There is no account ${normalized(email)}.`);
  return user;
}

/**
 * The account first: a login between the two would open a session that this does not end. A code is found by its email,
 * so one printed for this account would serve the next that has the email.
 */
async function disable(sql: Sql, { id, email }: User): Promise<void> {
  await sql`update users set disabled_at = coalesce(disabled_at, now()), updated_at = now() where id = ${id}`;
  await revokeSessions(sql, id, null);
  await forgetResets(sql, email);
}

/** False: there is a task again. While the row is locked no task of the user can be inserted (its foreign key waits). */
function deleteWithoutTasks(sql: Pool, id: string): Promise<boolean> {
  return sql.begin(async (tx) => {
    await tx`select 1 from users where id = ${id} for update`;
    const rows = await tx`select 1 from tasks where user_id = ${id} limit 1`;
    if (rows.length > 0) return false;
    await tx`delete from users where id = ${id}`;
    return true;
  });
}

const columns = {
  email: ({ email }: User) => email,
  role: ({ role }: User) => role ?? 'user',
  state: ({ disabled_at }: User) => (disabled_at ? 'disabled' : 'enabled'),
  since: ({ created_at }: User) => toSecond(created_at),
};

const done = ({ email }: User, text: string): Result => ({ data: { email }, text });

const codeFor = (email: string, { code, expires_at }: { code: string; expires_at: Date }, use: string): Result => ({
  data: { email, code, expires_at },
  text: `${code}\n${use}, until ${toSecond(expires_at)}. The code is shown this once.`,
});
