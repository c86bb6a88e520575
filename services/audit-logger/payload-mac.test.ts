import { expect, test } from 'bun:test';
import { canonicalJson, payloadMac } from './payload-mac.ts';

test('canonicalJson sorts keys as text at every level and keeps the order of lists (RFC 8785)', () => {
  expect(canonicalJson({ b: [3, { z: null, a: true }], a: 'é', 10: 1, 9: 2 })).toBe(
    '{"10":1,"9":2,"a":"é","b":[3,{"a":true,"z":null}]}',
  );
});

test('canonicalJson keeps a key that objects treat in their own way', () => {
  expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"x":1}}'))).toBe('{"__proto__":{"x":1},"b":1}');
});

test('payloadMac stays what it is: rows of years ago are checked with it', () => {
  expect(payloadMac({ b: 1, a: 2 }, 'k'.repeat(32)).toString('hex')).toMatchInlineSnapshot(
    `"fe52c2db2b1922ecb927588e4da6ca4ba0bfe36a544109e0461e9a5d610a272b"`,
  );
});
