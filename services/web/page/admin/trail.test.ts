import { describe, expect, test } from 'bun:test';
import { filtersOf, hrefOf, pathOf } from './trail.ts';

const none = filtersOf({});

describe('the filters of the trail', () => {
  test('are in the address, and nothing else is', () => {
    const filters = filtersOf({ type: 'task.created', user: ' 7 ', task: 'opened', page: '3' });
    expect(filters).toEqual({ ...none, type: 'task.created', user: '7' });
    expect(hrefOf(filters)).toBe('/audit?user=7&type=task.created');
    expect(hrefOf(none)).toBe('/audit');
  });

  test('days are those of the zone, the last one whole', () => {
    expect(pathOf({ ...none, from: '2026-03-29', to: '2026-03-29' }, 'Europe/Berlin')).toBe(
      '/audit/events?from=2026-03-28T23%3A00%3A00Z&to=2026-03-29T22%3A00%3A00Z', // 23 hours: the clocks go forward
    );
  });

  test('of one task there is its whole trail, and no filter', () => {
    expect(pathOf({ ...none, history: '7/8', type: 'task.created' }, 'UTC')).toBe('/audit/tasks/7%2F8?');
  });

  test('what is not asked for is left out', () => {
    expect(pathOf(none, 'UTC')).toBe('/audit/events?');
    expect(pathOf({ ...none, user: 'a&b', request: 'c' }, 'UTC')).toBe('/audit/events?user_id=a%26b&correlation_id=c');
  });
});
