import { afterAll, describe, expect, test } from 'bun:test';
import { runToEnd } from '../../test/support/command.ts';
import { SECRET } from '../../test/support/parts.ts';
import { createHouse, type House, newUser, refusalOf } from './fixture.ts';

const house: House = await createHouse();
afterAll(house.close);
const app = house.open();

const environment = { DATABASE_URL: house.database.url('chat-api'), JWT_SECRET: SECRET, OPERATOR: 'olga' };

/** The command as an operator runs it: a process of its own. */
const ops = (...words: string[]) => opsWith({}, ...words);
const opsWith = (more: { stdin?: string; settings?: Record<string, string> }, ...words: string[]) =>
  runToEnd([process.execPath, `${import.meta.dir}/ops.ts`, ...words], more.settings ?? environment, more);

describe('ops', () => {
  test('helps when asked, with no settings at all', async () => {
    const here = { settings: {} };
    const help = await opsWith(here, '--help');
    expect(help).toMatchObject({ exitCode: 0, err: '' });
    for (const name of ['admin', 'list', 'invite', 'disable', 'enable', 'reset-password', 'delete']) {
      expect(help.out).toContain(`users ${name}`);
    }
    expect(await opsWith(here, '-h')).toEqual(help);
    expect((await opsWith(here, 'dlq', '--help')).out).not.toContain('users');
    const one = await opsWith(here, 'users', 'delete', '--help');
    expect(one).toMatchObject({ exitCode: 0, err: '', out: expect.stringMatching(/^users delete <email>   delete/) });
  });

  test.each([
    [[], 'Commands of chat-api'],
    [['users'], 'users delete <email>'],
    [['users', 'toString'], 'There is no command `users toString`.'],
    [['users', 'delete'], 'That is not how it is used: users delete <email>'],
    [['users', 'list', 'all'], 'That is not how it is used: users list'],
    [['users', 'list', '--all'], "Unknown option '--all': users list"],
    [['users', 'seed', '--users'], "Option '--users <value>' argument missing: users seed --users <count>"],
    [['dlq', 'replay', '--all', 'x'], 'That is not how it is used: dlq replay <event_id> | --all'],
  ])('refuses %j with what there is', async (words, sentence) => {
    const { out, err, exitCode } = await opsWith({ settings: {} }, ...words);
    expect({ out, err, exitCode }).toEqual({ out: '', err: expect.stringContaining(sentence), exitCode: 2 });
  });

  test('logs operator, command and outcome, in plain JSON on a terminal too', async () => {
    const onTerminal = { settings: { ...environment, FORCE_COLOR: '1' } };
    const { err, exitCode } = await opsWith(onTerminal, 'users', 'admin', 'nobody@example.com');
    expect(exitCode).toBe(1);
    expect(JSON.parse(err.split('\n')[0] ?? '')).toEqual({
      time: expect.any(String),
      level: 'error',
      service: 'chat-api',
      message: 'operator command',
      operator: expect.stringMatching(/^\S.* \(olga\)$/),
      command: 'users admin',
      arguments: ['nobody@example.com'],
      outcome: 'failed',
      reason: 'There is no account nobody@example.com.',
    });
  });

  test('says in one sentence what is wrong, and not where in the code', async () => {
    const away = { ...environment, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
    for (const [words, settings, sentence] of [
      [['users', 'admin', 'nobody@example.com'], environment, 'There is no account nobody@example.com.'],
      [['users', 'admin', 'nobody'], environment, 'This is not an email address.'],
      [['users', 'disable', ''], environment, 'This is not an email address.'],
      [['users', 'seed', '--users', 'many'], environment, 'Give --users a number from 1 to 10000.'],
      [['outbox', 'show', 'x'], environment, 'x is not an event id.'],
      [['outbox', 'repair', Bun.randomUUIDv7()], environment, 'There is no parked event'],
      [['outbox', 'correct', Bun.randomUUIDv7()], environment, 'Give the corrected event as JSON on standard input.'],
      [['dlq', 'show', 'x'], environment, 'chat-api has no dead letter x.'],
      [['users', 'list'], away, 'The database cannot do it now (connect ECONNREFUSED 127.0.0.1:1): try again.'],
    ] as const) {
      const { out, err, exitCode } = await opsWith({ settings }, ...words);
      const said = err.split('\n').filter((line) => !line.startsWith('{'));
      expect({ out, said, exitCode }).toEqual({ out: '', said: [expect.stringContaining(sentence), ''], exitCode: 1 });
    }
  });

  test('answers in tables, and with --json for programs', async () => {
    const { email, id } = await app.signUp();
    const [headings, ...rows] = (await ops('users', 'list')).out.trimEnd().split('\n');
    expect(headings).toMatch(/^email +role +state +since$/);
    const row = rows.find((line) => line.startsWith(`${email} `)) ?? '';
    expect(row).toMatch(/ user +enabled +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(row.indexOf('enabled')).toBe(headings?.indexOf('state') ?? 0);
    const people = JSON.parse((await ops('users', 'list', '--json')).out) as { email: string }[];
    expect(people.find((each) => each.email === email)).toMatchObject({ id, role: null, disabled_at: null });
    expect(JSON.parse((await ops('--json', 'users', 'disable', email)).out)).toEqual({ email });
    expect((await ops('dlq', 'list')).out).toBe('There are no dead letters.\n');
    expect((await ops('dlq', 'list', '--json')).out).toBe('[]\n');
  });
});

describe('ops users', () => {
  test('admin makes an admin, and list shows it', async () => {
    const { email } = await app.signUp();
    expect((await ops('users', 'admin', ` ${email.toUpperCase()}`)).exitCode).toBe(0);
    const { out } = await ops('users', 'list');
    expect(out.split('\n').find((line) => line.startsWith(email))).toMatch(/ admin +enabled /);
  });

  test('know an email in any form of its letters, and the account of the very letters before another', async () => {
    const { id, email } = await app.signUp({ email: `${crypto.randomUUID()}-café@example.com` });
    const other = await app.signUp();
    const decomposed = email.normalize('NFD');
    expect((await ops('users', 'disable', decomposed.toUpperCase())).out).toContain(`${email} is disabled.`);
    expect((await ops('users', 'invite', decomposed)).exitCode).toBe(1);
    await house.database.sql`update users set email = ${decomposed} where id = ${other.id}`;
    expect((await ops('users', 'delete', decomposed)).exitCode).toBe(0);
    expect(await house.sql`select 1 from users where id = ${id}`).toHaveLength(1);
    expect(await house.sql`select 1 from users where id = ${other.id}`).toHaveLength(0);
  });

  test('invite prints a code that signs up, and none for who has an account', async () => {
    const user = newUser();
    const { out } = await ops('users', 'invite', user.email);
    const invited = house.open({ SIGNUP: 'invite' });
    await invited.signUp({ ...user, invite_code: out.split('\n')[0] });
    expect((await ops('users', 'invite', user.email)).exitCode).toBe(1);
    expect((await ops('users', 'invite', 'no email')).exitCode).toBe(1);
  });

  test('reset-password prints a code that sets a password', async () => {
    const { email } = await app.signUp();
    const [code] = (await ops('users', 'reset-password', email)).out.split('\n');
    const json = { code, new: 'Rainy-Day-42' };
    expect((await app.call('POST', '/api/v1/auth/password/reset', { json })).status).toBe(200);
    expect((await app.logIn(email, 'Rainy-Day-42')).email).toBe(email);
  });

  test.each(['disable', 'delete'])('what was printed for a reset is good no more after %s', async (command) => {
    const { email } = await app.signUp();
    const [code] = (await ops('users', 'reset-password', email)).out.split('\n');
    await ops('users', command, email);
    if (command === 'delete') await app.signUp({ ...newUser(), email }); // of somebody else, perhaps
    const reset = app.call('POST', '/api/v1/auth/password/reset', { json: { code, new: 'Rainy-Day-42' } });
    expect(await refusalOf(reset)).toEqual({ status: 400, code: 'PASSWORD_ERROR' });
  });

  test('disable locks out and ends sessions, enable lets in again', async () => {
    const { email, token } = await app.signUp();
    await ops('users', 'disable', email);
    expect((await app.call('GET', '/api/v1/tasks', { token })).status).toBe(401);
    const login = app.call('POST', '/api/v1/auth/login', { json: { ...newUser(), email } });
    expect(await refusalOf(login)).toEqual({ status: 401, code: 'INVALID_CREDENTIALS' });
    await ops('users', 'enable', email);
    expect((await app.logIn(email)).email).toBe(email);
    expect((await house.open().call('GET', '/api/v1/tasks', { token })).status).toBe(401);
  });

  test('seed makes accounts whose tokens create and read tasks', async () => {
    const lines = (await ops('users', 'seed', '--users', '3')).out.trim().split('\n');
    const people = lines.map((line) => JSON.parse(line) as { email: string; token: string });
    expect(new Set(people.map(({ email }) => email)).size).toBe(3);
    for (const { email, token } of people) {
      expect((await app.call('POST', '/api/v1/tasks', { token, json: { title: 'load' } })).status).toBe(201);
      expect(await (await app.call('GET', '/api/v1/auth/me', { token })).json()).toMatchObject({ email });
    }
    for (const count of ['0', '10001', 'many']) {
      expect(await ops('users', 'seed', '--users', count)).toMatchObject({ exitCode: 1, out: '' });
    }
  });

  test('delete deletes the tasks with their events, then the user', async () => {
    const { email, id, token } = await app.signUp();
    const titles = ['one', 'two'];
    for (const title of titles) await app.call('POST', '/api/v1/tasks', { token, json: { title } });
    expect((await ops('users', 'delete', email)).out).toContain('with 2 tasks');
    const events = await house.database.sql`
      select event ->> 'event_type' as type, event -> 'actor' ->> 'type' as actor from outbox
      where event ->> 'user_id' = ${id} order by seq`;
    expect(events.map(({ type }) => type)).toEqual(['task.created', 'task.created', 'task.deleted', 'task.deleted']);
    expect(events.at(-1)?.actor).toBe('operator');
    expect(await house.sql`select 1 from users where id = ${id}`).toHaveLength(0);
    expect(await house.sql`select 1 from unpublished_changes where old_row ->> 'user_id' = ${id}`).toHaveLength(0);
    expect((await ops('users', 'delete', email)).exitCode).toBe(1);
  });
});

describe('ops outbox', () => {
  test('prints what people wrote, and no sign that a terminal would obey', async () => {
    const { token } = await app.signUp();
    const title = 'plain \x7f\x9b2J \x1b[2J \u202eback \u2066 é漢😀';
    await app.call('POST', '/api/v1/tasks', { token, json: { title } });
    const [row] = await house.sql<{ id: string }[]>`
      select event ->> 'event_id' as id from outbox where event -> 'task' ->> 'title' = ${title}`;
    for (const flags of [[], ['--json']]) {
      const { out } = await ops('outbox', 'show', row?.id ?? '', ...flags);
      expect(out).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_C}/u);
      expect((JSON.parse(out) as { task: object }).task).toMatchObject({ title });
    }
  });

  test('lists what waits, shows it and lets a parked event go on, corrected or not', async () => {
    const { token } = await app.signUp();
    const create = (title: string) => app.call('POST', '/api/v1/tasks', { token, json: { title } });
    const ids = [];
    for (const title of ['one', 'two']) ids.push(((await (await create(title)).json()) as { id: string }).id);
    const rows = await house.database.sql<{ event_id: string }[]>`
      update outbox set parked_at = now(), parked_reason = 'refused' where task_id = any(${ids}::uuid[]) returning event_id`;
    const [first, second] = rows.map(({ event_id }) => event_id) as [string, string];
    expect((await ops('outbox', 'list')).out).toMatch(new RegExp(`^${first} +task.created .* refused$`, 'm'));

    const event = JSON.parse((await ops('outbox', 'show', first)).out) as Record<string, unknown>;
    expect(event.event_id).toBe(first);
    expect((await ops('outbox', 'repair', first)).exitCode).toBe(0);
    expect((await opsWith({ stdin: JSON.stringify(event) }, 'outbox', 'correct', second)).exitCode).toBe(1);
    const other = JSON.parse((await ops('outbox', 'show', second)).out) as object;
    const corrected = JSON.stringify({ ...other, correlation_id: '11111111-2222-7333-8444-555555555555' });
    expect((await opsWith({ stdin: corrected }, 'outbox', 'correct', second)).exitCode).toBe(0);
    expect(await house.database.sql`select 1 from outbox where parked_at is not null`).toHaveLength(0);
    expect((await ops('outbox', 'show', second)).out).toContain('11111111-2222-7333-8444-555555555555');

    for (const words of [
      ['show', 'x'],
      ['repair', first],
      ['correct', second],
    ]) {
      expect((await ops('outbox', ...words)).exitCode).toBe(1);
    }
  });
});

describe('ops changes', () => {
  /** A change that the trigger recorded, parked. */
  async function parkedChange(id: string): Promise<string> {
    const [row] = await house.database.sql<{ seq: string }[]>`
      insert into unpublished_changes (operation, task_id, old_row, parked_at, parked_reason)
      select 'DELETE', id, to_jsonb(tasks) || '{"due_date": "soon"}', now(), 'no such time' from tasks where id = ${id}
      returning seq`;
    return row?.seq ?? '';
  }
  const isParked = async (seq: string) =>
    (await house.database.sql`select 1 from unpublished_changes where seq = ${seq} and parked_at is not null`).length;

  test('lists what waits, shows it and lets it go on, as it is or corrected, or drops it', async () => {
    const { token } = await app.signUp();
    const task = await app.call('POST', '/api/v1/tasks', { token, json: { title: 'one' } });
    const { id } = (await task.json()) as { id: string };
    const [first, second, third] = [await parkedChange(id), await parkedChange(id), await parkedChange(id)];
    expect((await ops('changes', 'list')).out).toMatch(new RegExp(`^${first} +DELETE +${id} .* no such time$`, 'm'));

    expect(await ops('changes', 'repair', first)).toMatchObject({ exitCode: 0, out: '1 change goes on.\n' });
    expect(await isParked(first)).toBe(0);
    expect((await ops('changes', 'list')).out).toMatch(new RegExp(`^${first} .* it is not$`, 'm'));

    const { old_row, new_row } = JSON.parse((await ops('changes', 'show', second)).out) as {
      old_row: object;
      new_row: null;
    };
    const correct = (sides: unknown) => opsWith({ stdin: JSON.stringify(sides) }, 'changes', 'correct', second);
    expect((await correct({ old_row, new_row })).err).toContain('invalid input syntax for type timestamp');
    expect((await correct({ old_row: { ...old_row, due_date: null }, new_row: {} })).err).toContain(
      'new_row: does not',
    );
    expect((await correct({ old_row })).err).toContain('as JSON on standard input');
    expect(await isParked(second)).toBe(1);
    expect((await correct({ old_row: { ...old_row, due_date: null }, new_row })).exitCode).toBe(0);
    expect(await isParked(second)).toBe(0);

    expect((await ops('changes', 'drop', third)).exitCode).toBe(0);
    expect((await ops('changes', 'show', third)).err).toContain(`There is no change ${third}.`);
    for (const words of [
      ['show', 'x'],
      ['repair', first],
      ['drop', second],
    ]) {
      expect((await ops('changes', ...words)).exitCode).toBe(1);
    }
    expect(JSON.parse((await ops('changes', 'list', '--json')).out)).toContainEqual(
      expect.objectContaining({ seq: Number(first), parked_reason: null }),
    );
    expect((await ops('changes', 'repair', '--all')).out).toBe('0 changes go on.\n');
  });
});
