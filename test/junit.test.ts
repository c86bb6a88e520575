import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { readReport } from './junit.ts';

/** The text of a file of tests that is run below; none of them is a test of ours. */
const SOURCE = `
import { afterAll, describe, expect, test } from 'bun:test';
describe('a <room> & "more"', () => {
  test('holds', () => {});
  test.skipIf(true)('waits', () => {});
  test("differs from 'that' > this", () => expect('a').toBe('<b>'));
  test('hangs', () => new Promise(() => {}), 50);
});
test('throws', () => { throw new Error('no "way"'); });
afterAll(() => { throw new Error('not closed'); });
`;

test('a report names each test that failed, with its place and what it said', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'taskflow-junit-'));
  await Bun.write(join(folder.path, 'room.test.ts'), SOURCE);
  const command = [process.execPath, 'test', '--reporter=junit', '--reporter-outfile=report.xml'];
  await Bun.spawn(command, { cwd: folder.path, stdio: ['ignore', 'ignore', 'ignore'] }).exited;

  const report = readReport(await Bun.file(join(folder.path, 'report.xml')).text());

  expect(report).toEqual({
    passed: 1,
    failed: 4,
    skipped: 1,
    failures: [
      'room.test.ts:6 a <room> & "more" > differs from \'that\' > this\n  expect(received).toBe(expected)\n  Expected: "<b>"\n  Received: "a"',
      'room.test.ts:7 a <room> & "more" > hangs\n  test timed out',
      'room.test.ts:9 throws\n  no "way"',
      'room.test.ts before or after its tests\n  not closed',
    ],
  });
});

test('a run that ended before its report counts nothing', () => {
  expect(readReport('')).toEqual({ passed: 0, failed: 0, skipped: 0, failures: [] });
});
