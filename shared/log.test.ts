import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { runToEnd } from '../test/support/command.ts';
import { createLog } from './log.ts';

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

test('a line is one, and holds no sign that a terminal would obey', () => {
  const lines: string[] = [];
  const error = new Error('\x9b2J');
  createLog('chat-api', { write: (line) => lines.push(line) }).warn('m', { id: 'a\n\x1b[2J\x7f\u202e é', error });
  expect(lines.join('\n')).not.toMatch(/\p{Cc}|\p{Bidi_C}/u);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ id: 'a\n\x1b[2J\x7f\u202e é', error: { message: '\x9b2J' } });
});

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
