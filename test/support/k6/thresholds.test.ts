import { describe, expect, test } from 'bun:test';
import { createMetrics, type MetricType } from './metrics.ts';
import { readDuration, readThreshold } from './thresholds.ts';

/** Whether it holds of these samples, after ten seconds. */
function holds(type: MetricType, threshold: string, samples: number[]): boolean {
  const metrics = createMetrics();
  metrics.declare('metric', type);
  for (const sample of samples) metrics.add('metric', sample, {});
  return readThreshold(threshold, type).holds(metrics.named('metric').sink, 10);
}

describe('a threshold', () => {
  test.each([
    ['counter', 'count==3', 'count>3', [1, 2]],
    ['counter', 'rate===0.3', 'rate>=1', [1, 2]],
    ['gauge', 'value<2', 'value!=1', [5, 1]],
    ['rate', 'rate == 0.5', 'rate>0.5', [0, 1]],
    ['trend', 'avg<=2', 'avg<2', [1, 3]],
    ['trend', 'min>=1', 'min>1', [3, 1]],
    ['trend', 'max<4', 'max<3', [1, 3]],
    ['trend', 'med==2', 'med<2', [1, 2, 9]],
    ['trend', 'p(95)<2.91', 'p(95)<2.9', [1, 3]], // between two samples their weighted mean
    ['trend', 'p(99.9)<3', 'p(0)>1', [1, 3]],
  ] as const)('of a %s: %s holds and %s does not', (type, good, bad, samples) => {
    expect([good, bad].map((each) => holds(type, each, [...samples]))).toEqual([true, false]);
  });

  test('that has no sample sees 0, but of a rate it holds: a script must count', () => {
    expect(holds('trend', 'p(99)<500', [])).toBe(true);
    expect(holds('rate', 'rate==1', [])).toBe(true);
    expect(holds('counter', 'count>=1', [])).toBe(false);
  });

  test.each([
    ['trend', 'p95<500'],
    ['trend', 'p(101)<500'],
    ['trend', 'value<500'],
    ['rate', 'count==1'],
    ['gauge', 'max<3'],
    ['counter', 'count'],
    ['counter', 'count=1'],
    ['counter', 'count<'],
    ['counter', 'count<many'],
    ['counter', '<1'],
  ] as const)('is refused on a %s: %s', (type, threshold) => {
    expect(() => readThreshold(threshold, type)).toThrow(`invalid threshold '${threshold}'`);
  });
});

describe('a part of a metric', () => {
  test('holds the samples that have all of its tags', () => {
    const metrics = createMetrics();
    metrics.declare('http_reqs', 'counter');
    const part = metrics.named('http_reqs{name:create batch, status:200}');
    metrics.add('http_reqs', 1, { name: 'create batch', status: '200' });
    metrics.add('http_reqs', 1, { name: 'create batch', status: '503' });
    expect(part.sink.values(1, []).count).toBe(1);
    expect(metrics.named('http_reqs').sink.values(1, []).count).toBe(2);
  });

  test('of a metric that no script declares is refused', () => {
    expect(() => createMetrics().named('latency{name:x}')).toThrow('does not exist in the script');
  });
});

test.each([
  ['250ms', 250],
  ['1m30s', 90_000],
  ['1.5s', 1500],
  ['2h', 7_200_000],
])('a duration of %s is %d ms', (text, ms) => {
  expect(readDuration(text)).toBe(ms);
});

test.each(['', '5', 's', '5 s', '5d'])('%j is no duration', (text) => {
  expect(() => readDuration(text)).toThrow('invalid duration');
});
