import { describe, expect, test } from 'bun:test';
import { createJumpMeter, sleepMs } from './clock.ts';

const DAY = 86_400_000;

describe('sleepMs', () => {
  test('is the time to the next trigger', () => expect(sleepMs(10_250, 10_000)).toBe(250));
  test('is nothing when it has passed', () => expect(sleepMs(9_000, 10_000)).toBe(0));
  test('is a minute at most, also beyond the limit of a timer', () => {
    expect(sleepMs(30 * DAY, 0)).toBe(60_000);
    expect(sleepMs(null, 0)).toBe(60_000);
  });
});

describe('createJumpMeter', () => {
  test.each([
    ['set forward', 3_600_000],
    ['set back', -3_600_000],
    ['left alone', 0],
  ])('tells once by how much the wall clock was %s', (_how, jump) => {
    let [wall, steady] = [1_000_000, 5];
    const jumpedMs = createJumpMeter(
      () => wall,
      () => steady,
    );
    [wall, steady] = [wall + 1000 + jump, steady + 1000];
    expect(jumpedMs()).toBe(jump);
    [wall, steady] = [wall + 1000, steady + 1000];
    expect(jumpedMs()).toBe(0);
  });
});
