import { describe, expect, test } from 'bun:test';
import { bypassProxy } from './loopback.ts';

const own = 'localhost,127.0.0.1,::1';

describe('bypassProxy', () => {
  test.each([
    [{}, { NO_PROXY: own, no_proxy: own }],
    [{ NO_PROXY: '' }, { NO_PROXY: own, no_proxy: own }],
    [{ NO_PROXY: '.corp,10.0.0.0/8' }, { NO_PROXY: `.corp,10.0.0.0/8,${own}`, no_proxy: `.corp,10.0.0.0/8,${own}` }],
    [{ no_proxy: '*' }, { NO_PROXY: `*,${own}`, no_proxy: `*,${own}` }],
    [
      { NO_PROXY: 'a', no_proxy: 'b' },
      { NO_PROXY: `a,${own}`, no_proxy: `b,${own}` },
    ],
  ])('adds this machine to %j, in both spellings', (environment, expected) => {
    bypassProxy(environment);
    expect(environment).toEqual(expected);
    bypassProxy(environment); // as a child does that inherits it
    expect(environment).toEqual(expected);
  });
});
