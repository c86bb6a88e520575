import { afterAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import postgres from 'postgres';
import { migrate } from '../../db/migrate.ts';
import { createDatabase } from '../support/database.ts';

// What `q` compares, on servers of any locale.

const home = await createDatabase();
const plain = await inLocaleC();
afterAll(async () => {
  await plain.drop();
  await home.drop();
});

/** A database whose own `lower` and `ilike` know ASCII alone. */
async function inLocaleC(beforeMigration = '') {
  const name = `test_${crypto.randomUUID().replaceAll('-', '')}`;
  await home.sql.unsafe(`create database ${name} template template0 locale_provider libc locale 'C'`);
  const url = Object.assign(new URL(home.url()), { pathname: `/${name}` }).href;
  const sql = postgres(url, { max: 1, onnotice() {} });
  await sql.unsafe(beforeMigration);
  await migrate(url);
  return {
    sql,
    async drop() {
      await sql.end();
      await home.sql.unsafe(`drop database ${name}`);
    },
  };
}

const isFound = async (sql: postgres.Sql, sought: string, text: string): Promise<boolean> => {
  const [row] = await sql`select strpos(search_form(${text}), search_form(${sought})) > 0 as found`;
  return row?.found;
};

describe.each([
  ['the embedded Postgres', home.sql],
  ['a database in locale C', plain.sql],
])('search_form on %s', (_name, sql) => {
  test.each([
    ['ÄRGER', 'ärger im büro'],
    ['ärger', 'ÄRGER'],
    ['caf\u00e9', 'cafe\u0301'],
    ['cafe\u0301', 'CAF\u00c9'],
    ['привет', 'ПРИВЕТ'],
    ['istanbul', 'İstanbul'],
    ['İSTANBUL', 'istanbul'],
    ['ΟΔΟΣ', 'οδος'],
    ['ΟΔΟΣ', 'ΟΔΟΣΑ'],
    ['οδος', 'ΟΔΟΣΑ'],
    ['Σ', 'ΛΟΓΟΣ'],
    ['λογοσ', 'ΛΟΓΟΣ'],
    ['ǰ', 'J\u030c'],
    ['Å', '\u212b'],
    ['ti\u1ebfng', 'ti\u00ea\u0301ng'],
    ['한글', '한글'.normalize('NFD')],
    ['100%', '100% of it'],
  ])('finds %j in %j', async (sought, text) => {
    expect(await isFound(sql, sought, text)).toBe(true);
  });

  test.each([
    ['cafe', 'caf\u00e9'],
    ['cafe', 'cafe\u0301'],
    ['%', '100'],
    ['\u0307', 'alpha'],
    ['qx', 'q\u0307x'],
    ['a_c', 'abc'],
    ['\\', 'a'],
    ['arger', 'ärger'],
  ])('does not find %j in %j', async (sought, text) => {
    expect(await isFound(sql, sought, text)).toBe(false);
  });

  test('is one for all forms of a text, and finds each part of it', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((given) => !given.includes('\0'));
    await fc.assert(
      fc.asyncProperty(text, text, text, async (before, sought, after) => {
        const whole = `${before} ${sought} ${after}`;
        for (const form of [whole, whole.normalize('NFC'), whole.normalize('NFD')])
          expect(await isFound(sql, ` ${sought.normalize('NFD')} `, form)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

test('search_form knows the capitals of the server alone where PostgreSQL was built without ICU', async () => {
  const without = await inLocaleC('alter collation "und-x-icu" rename to gone');
  const found = [await isFound(without.sql, 'caf\u00e9', 'CAFe\u0301'), await isFound(without.sql, 'Ä', 'ä')];
  await without.drop();
  expect(found).toEqual([true, false]);
});
