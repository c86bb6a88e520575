import { expect, test } from 'bun:test';
import { type Running, sentenceOf } from './running.ts';

const one = (name: string, status: Running['status']): Running => ({
  name,
  status,
  version: '',
  commit: '',
  checks: {},
});

test.each<[Running['status'][], string]>([
  [['ready', 'answers'], 'Everything runs.'],
  [['ready', 'degraded'], 'Everything runs, with something missing: b.'],
  [['away', 'degraded', 'unready'], 'In trouble: a, c.'],
])('services that are %p: %s', (states, sentence) => {
  expect(sentenceOf(states.map((status, i) => one('abc'.charAt(i), status)))).toBe(sentence);
});
