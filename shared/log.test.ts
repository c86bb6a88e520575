import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { runToEnd } from '../test/support/command.ts';

const root = join(import.meta.dir, '..');

/** The messages that a process has written which logs these and then ends. */
async function messagesOf(script: string): Promise<string[]> {
  const source = `const { createLog } = await import('./shared/log.ts');\nconst log = createLog('test');\n${script}`;
  const { out } = await runToEnd([process.execPath, '-e', source], {}, { cwd: root });
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { message: string }).message);
}

test.each([
  ['leaves', 'process.exit(1);'],
  ['throws', "throw new Error('a bug');"],
  ['comes to its end', ''],
])('a line just logged is written when the process %s', async (_what, end) => {
  expect(await messagesOf(`log.info('first'); log.error('last', { error: new Error('why') }); ${end}`)).toEqual([
    'first',
    'last',
  ]);
});
