import { expect, test } from 'bun:test';
import { unexpected } from './findings.ts';

const refused = { 'POST 503': 3, 'PATCH 503': 1, 'POST 500': 2 };

test('a refusal is wrong, unless the drill expects that kind', () => {
  expect(unexpected(refused, {})).toHaveLength(3);
  expect(unexpected(refused, { mayRefuse: ['ECONNRESET'] })).toHaveLength(3);
  expect(unexpected(refused, { mayRefuse: ['503', 'ECONNRESET'] })).toEqual(['refused: POST 500, 2 times']);
});
