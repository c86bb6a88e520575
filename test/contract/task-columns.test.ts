import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Value } from '@sinclair/typebox/value';
import { taskSchema } from '#shared/task';
import { answered, columns, given, ofPhase4, required, taskColumns } from '../../services/chat-api/changes/columns.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

// The one list of the columns of a task, beside what cannot follow from it: the table, the events and the contract.

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

describe('taskColumns', () => {
  test('are the columns of the table, each of its type', async () => {
    const rows = await database.sql<{ name: string; type: string; required: boolean }[]>`
      select column_name as name, udt_name::regtype::text as type, is_nullable = 'NO' as required
      from information_schema.columns where table_schema = 'public' and table_name = 'tasks' order by column_name`;
    const types = columns.map((name) => taskColumns[name].type);
    const [known] = await database.sql<{ types: string[] }[]>`select ${types}::text[]::regtype[]::text[] as types`;
    const listed = columns.map((name, i) => ({
      name,
      type: known?.types[i],
      required: required.some((column) => column === name),
    }));
    expect(rows.toSorted(byName)).toEqual(listed.toSorted(byName) as never);
  });

  test('that are answered are published, and but for due_all_day no other', () => {
    expect(Object.keys(taskSchema.properties).sort()).toEqual([...answered, 'due_all_day'].sort());
  });

  test('that may be empty are published as cleared by null, and no other', () => {
    const mayBeEmpty = given.filter((field) => !required.some((column) => column === field));
    expect(given.filter((field) => Value.Check(taskColumns[field].given, null))).toEqual(mayBeEmpty);
  });

  test('that a caller may give stand in CONTRACT 5', async () => {
    const contract = await Bun.file(new URL('../../services/CONTRACT.md', import.meta.url)).text();
    const [, section = ''] = contract.split(/^## 5\. .*\n/m);
    const [table = ''] = /^\|[^]*?\n\n/m.exec(section) ?? [];
    const named = [...table.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name = '']) => name);
    expect(named).toEqual(expect.arrayContaining(given.filter((field) => !isOfPhase4(field))));
  });
});

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
const isOfPhase4 = (field: string): boolean => ofPhase4.some((column) => column === field);
