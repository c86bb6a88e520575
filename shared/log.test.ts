import { expect, test } from 'bun:test';
import { createLog } from './log.ts';

test('a line is one, and holds no sign that a terminal would obey', () => {
  const lines: string[] = [];
  const error = new Error('\x9b2J');
  createLog('chat-api', { write: (line) => lines.push(line) }).warn('m', { id: 'a\n\x1b[2J\x7f\u202e é', error });
  expect(lines.join('\n')).not.toMatch(/\p{Cc}|\p{Bidi_C}/u);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ id: 'a\n\x1b[2J\x7f\u202e é', error: { message: '\x9b2J' } });
});
