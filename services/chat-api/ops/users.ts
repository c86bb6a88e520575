import type { Pool, Sql } from '#shared/db';
import { CommandError, type Group } from '#shared/ops';
import { issueCode } from '../auth/codes.ts';
import { emailProblem, namedBy, normalized } from '../auth/email.ts';
import { revokeSessions } from '../auth/sessions.ts';
import { deleteAllTasks } from '../tasks/delete.ts';
import { seedCount, seedUsers } from './seed.ts';

/** Accounts from the operator's side: `users <command>`. All may be repeated. */
export const users: Group = {
  list: {
    takes: [],
    does: 'every account: email, role, state, since when',
    run: async ({ sql }) => (await listUsers(sql)).map(lineOf).join('\n') || 'There are no accounts.',
  },
  admin: {
    takes: ['email'],
    does: 'make this account an admin',
    async run({ sql }, [email]) {
      const user = await found(sql, email);
      await sql`update users set role = 'admin', updated_at = now() where id = ${user.id}`;
      return `${user.email} is an admin. Their next token says so; log in again or refresh.`;
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
      return codeLine(await issueCode(sql, 'invite', email), `sign up as ${email} with invite_code`);
    },
  },
  'reset-password': {
    takes: ['email'],
    does: 'print a code with which this account can set a new password, once, within a day',
    async run({ sql }, [email]) {
      const user = await found(sql, email);
      return codeLine(await issueCode(sql, 'reset', user.email), 'POST /api/v1/auth/password/reset {code, new}');
    },
  },
  disable: {
    takes: ['email'],
    does: 'lock this account out and end its sessions; its tasks stay',
    async run({ sql }, [email]) {
      const user = await found(sql, email);
      await disable(sql, user.id);
      return `${user.email} is disabled.`;
    },
  },
  enable: {
    takes: ['email'],
    does: 'let a disabled account log in again',
    async run({ sql }, [email]) {
      const user = await found(sql, email);
      await sql`update users set disabled_at = null, updated_at = now() where id = ${user.id}`;
      return `${user.email} is enabled.`;
    },
  },
  seed: {
    takes: ['--users', 'count'],
    does: 'make accounts for load tools; prints a line of JSON for each: email, and a token for 7 days',
    async run({ sql }, [flag, given = '']) {
      const count = seedCount(given);
      if (flag !== '--users' || count === null) throw new CommandError('expected --users and a number of 1 to 10000.');
      return (await seedUsers(sql, count)).map((person) => JSON.stringify(person)).join('\n');
    },
  },
  delete: {
    takes: ['email'],
    does: 'delete this account and its tasks, each with its event',
    async run({ sql, operator }, [email]) {
      const user = await found(sql, email);
      await disable(sql, user.id);
      let count = 0;
      // A request that was let in before may still add a task; it must not go without its event.
      do count += await deleteAllTasks(sql, user.id, { type: 'operator', id: operator, name: operator });
      while (!(await deleteWithoutTasks(sql, user.id)));
      return `${user.email} is deleted, with ${count} tasks.`;
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
  if (!user) throw new CommandError(`There is no account ${normalized(email)}.`);
  return user;
}

/** The account first: a login between the two would open a session that this does not end. */
async function disable(sql: Sql, id: string): Promise<void> {
  await sql`update users set disabled_at = coalesce(disabled_at, now()), updated_at = now() where id = ${id}`;
  await revokeSessions(sql, id, null);
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

const lineOf = ({ email, role, created_at, disabled_at }: User) =>
  [email, role ?? 'user', disabled_at ? 'disabled' : 'enabled', created_at.toISOString()].join('\t');

const codeLine = ({ code, expires_at }: { code: string; expires_at: Date }, use: string) =>
  `${code}\n${use}, until ${expires_at.toISOString()}. The code is shown this once.`;
