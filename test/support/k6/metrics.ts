// What k6 calls metrics, and its sinks: what is kept of the samples of each (`metrics/sink.go` of its sources).

export type MetricType = 'counter' | 'gauge' | 'rate' | 'trend';
export type Tags = Record<string, string>;

/** Keeps samples, and tells what they come to. */
export interface Sink {
  add(value: number): void;
  readonly isEmpty: boolean;
  /** By aggregation, as thresholds and summary name them; `seconds` is how long the test has run. */
  values(seconds: number, percentiles: number[]): Record<string, number>;
}

const sinks: Record<MetricType, () => Sink> = { counter, gauge, rate, trend };

function counter(): Sink {
  let [count, samples] = [0, 0];
  return {
    add(value) {
      count += value;
      samples++;
    },
    get isEmpty() {
      return samples === 0;
    },
    values: (seconds) => ({ count, rate: seconds > 0 ? count / seconds : 0 }),
  };
}

function gauge(): Sink {
  let last: number | undefined;
  let [min, max] = [Infinity, -Infinity];
  return {
    add(value) {
      last = value;
      [min, max] = [Math.min(min, value), Math.max(max, value)];
    },
    get isEmpty() {
      return last === undefined;
    },
    values: () => (last === undefined ? { value: 0, min: 0, max: 0 } : { value: last, min, max }),
  };
}

/** Of no sample it has no rate, so that every threshold on it holds. */
function rate(): Sink {
  let [passes, fails] = [0, 0];
  return {
    add: (value) => void (value === 0 ? fails++ : passes++),
    get isEmpty() {
      return passes + fails === 0;
    },
    values: () => ({ passes, fails, ...(passes + fails > 0 && { rate: passes / (passes + fails) }) }),
  };
}

function trend(): Sink {
  const samples: number[] = [];
  return {
    add: (value) => void samples.push(value),
    get isEmpty() {
      return samples.length === 0;
    },
    values(_, percentiles) {
      const sorted = Float64Array.from(samples).sort();
      const sum = sorted.reduce((total, value) => total + value, 0);
      const [count, min, max] = [sorted.length, sorted[0] ?? 0, sorted.at(-1) ?? 0];
      const known = { min, max, avg: count > 0 ? sum / count : 0, med: percentile(sorted, 50), count };
      return Object.assign(known, ...percentiles.map((p) => ({ [`p(${p})`]: percentile(sorted, p) })));
    },
  };
}

/** Between two samples it is their weighted mean. 0 of none. */
function percentile(sorted: Float64Array, percent: number): number {
  const at = (percent / 100) * Math.max(0, sorted.length - 1);
  const [below = 0, above = 0] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

export type Metric = { name: string; type: MetricType; isTime: boolean; sink: Sink };
type Submetric = Metric & { tags: Tags };

/** All metrics of a run, and the parts of them that thresholds name by tags. */
export function createMetrics() {
  const metrics = new Map<string, Metric & { parts: Submetric[] }>();

  /** Declares it; again from another virtual user is the same one. @throws when that was of another type */
  function declare(name: string, type: MetricType, isTime = false): void {
    if (!/^[\p{L}_][\p{L}\p{N}_]{0,127}$/u.test(name)) throw new Error(`Invalid metric name: '${name}'`);
    const known = metrics.get(name);
    if (!known) metrics.set(name, { name, type, isTime, sink: sinks[type](), parts: [] });
    else if (known.type !== type) throw new Error(`metric '${name}' already exists but with type ${known.type}`);
  }

  return {
    declare,
    add(name: string, value: number, tags: Tags): void {
      const metric = metrics.get(name);
      if (!metric) throw new Error(`there is no metric '${name}'`);
      metric.sink.add(value);
      for (const part of metric.parts) if (hasAll(tags, part.tags)) part.sink.add(value);
    },
    /** The metric, or part of one, that a threshold names: `name` or `name{tag:value,…}`. @throws when there is none */
    named(text: string): Metric {
      const [, name = text, list] = /^([^{]*)(?:\{(.*)\})?$/.exec(text) ?? [];
      const metric = metrics.get(name);
      if (!metric)
        throw new Error(`invalid metric '${text}' in threshold definitions: it does not exist in the script`);
      if (list === undefined) return metric;
      const part = { ...metric, name: text, sink: sinks[metric.type](), tags: tagsOf(list) };
      metric.parts.push(part);
      return part;
    },
    /** Those that have a sample. */
    observed: (): Metric[] => [...metrics.values()].filter(({ sink }) => !sink.isEmpty),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

function tagsOf(list: string): Tags {
  const pairs = list.split(',').map((pair) => {
    const [key = '', ...value] = pair.split(':');
    if (value.length === 0) throw new Error(`invalid tag '${pair}': expected name:value`);
    return [
      key.trim(),
      value
        .join(':')
        .trim()
        .replace(/^(['"])(.*)\1$/, '$2'),
    ];
  });
  return Object.fromEntries(pairs) as Tags;
}

const hasAll = (tags: Tags, wanted: Tags): boolean => Object.keys(wanted).every((key) => tags[key] === wanted[key]);
