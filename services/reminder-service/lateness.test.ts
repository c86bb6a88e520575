import { describe, expect, test } from 'bun:test';
import { delaySeconds, lateness } from './lateness.ts';

const MINUTE = 60_000;
const T = Date.UTC(2026, 10, 24, 12);
/** Minutes from the trigger time on at which each thing happened. */
const passage = (created: number, updated: number, claimed: number) => ({
  trigger_at: new Date(T),
  created_at: new Date(T + created * MINUTE),
  updated_at: new Date(T + updated * MINUTE),
  claimed_at: new Date(T + claimed * MINUTE),
});

describe('lateness', () => {
  test('is not worth a word within a minute', () => {
    expect(lateness(passage(-60, -60, 0), T + 60_000)).toBeNull();
    expect(lateness(passage(-60, -60, 0), T - 5)).toBeNull();
  });

  test.each([
    [passage(30, 30, 30), 30, 'its time had passed when the task was saved'],
    [passage(-60, 30, 30), 30, 'the event of the task arrived late'],
    [passage(-60, -60, 30), 30, 'the reminder service or its database was down, or the account was disabled'],
    [passage(-60, -60, 0), 30, 'publishing was down'],
    [passage(2, 5, 30), 31, 'the reminder service or its database was down, or the account was disabled'],
    [passage(-60, 40, 1), 31, 'publishing was down'], // an event that came after it fired delayed nothing
  ])('%# names what took the longest', (passage, published, reason) => {
    expect(lateness(passage, T + published * MINUTE)).toEqual({ late_by_ms: published * MINUTE, late_reason: reason });
  });
});

test('our own delay does not count what passed before the person set the reminder', () => {
  expect(delaySeconds(passage(30, 30, 30), T + 30 * MINUTE + 40)).toBe(0.04);
  expect(delaySeconds(passage(-60, -60, 0), T + 40)).toBe(0.04);
  expect(delaySeconds(passage(-60, -60, 0), T - 40)).toBe(0);
});
