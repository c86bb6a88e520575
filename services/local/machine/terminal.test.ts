import { describe, expect, test } from 'bun:test';
import { readable, wantsColours } from './terminal.ts';

test.each([
  [true, {}, true],
  [true, { NO_COLOR: '' }, true], // no-color.org: empty is not set
  [true, { NO_COLOR: '1' }, false],
  [true, { TERM: 'dumb' }, false],
  [undefined, {}, false],
])('a terminal (%p) with %j wants colours: %p', (isTTY, environment, wanted) => {
  expect(wantsColours({ isTTY }, environment)).toBe(wanted);
});

describe('readable', () => {
  test('makes a sentence of a JSON line, the level only when it is not info', () => {
    const fact = { time: 'T', service: 'chat-api', message: 'listening' };
    expect(readable(JSON.stringify({ ...fact, level: 'info', port: 8000 }))).toBe('listening  port=8000');
    expect(readable(JSON.stringify({ ...fact, level: 'warn', why: 'a b' }))).toBe('WARN listening  why="a b"');
  });

  test('shows an error by its name and message, and long values cut', () => {
    const error = { name: 'TypeError', message: 'no', stack: 'TypeError: no\n  at x' };
    expect(readable(JSON.stringify({ level: 'error', message: 'failed', error }))).toBe(
      'ERROR failed  error=TypeError: no',
    );
    expect(readable(JSON.stringify({ message: 'm', list: Array(99).fill(1) })).length).toBeLessThan(140);
  });

  test('shows no sign that a terminal would obey, in whatever it stands', () => {
    const error = { name: 'Error', message: '\x1b]0;me\x07', stack: '' };
    const lines = [{ message: '\x9b2J' }, { message: 'm', id: '\x1b[2J\u202e' }, { message: 'm', error }];
    for (const line of [...lines.map((fact) => JSON.stringify(fact)), '\x1b[2J {half'])
      expect(readable(line)).not.toMatch(/\p{Cc}|\p{Bidi_C}/u);
    expect(readable('Error: no\n\tat x')).toBe('Error: no\n  at x');
  });

  test('leaves out of a line of a sidecar what is the same in each', () => {
    const same = { app_id: 'chat-api', instance: 'host', scope: 'dapr.runtime', type: 'log', ver: 'unknown' };
    expect(readable(JSON.stringify({ ...same, level: 'error', msg: 'no broker' }))).toBe('ERROR no broker');
  });

  test.each(['plain text', '{half', '{"no":"message"}', '[1]'])('leaves %s as it is', (line) => {
    expect(readable(line)).toBe(line);
  });
});
