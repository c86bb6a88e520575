import type { MetricType, Sink } from './metrics.ts';

/** What `options.thresholds` holds. */
export type Written = string | { threshold: string; abortOnFail?: boolean; delayAbortEval?: string };

export type Threshold = {
  /** As it is written. */
  source: string;
  abortOnFail: boolean;
  /** So long after the start it does not yet end the test, in seconds. */
  delayAbort: number;
  holds(sink: Sink, seconds: number): boolean;
};

const operators = ['<=', '<', '>=', '>', '===', '==', '!='] as const;
type Operator = (typeof operators)[number];

const aggregations: Record<MetricType, RegExp> = {
  counter: /^(count|rate)$/,
  gauge: /^value$/,
  rate: /^rate$/,
  trend: /^(avg|min|max|med|p\((\d+(?:\.\d+)?)\))$/,
};

/**
 * Reads a threshold on a metric of this type by k6's grammar (`metrics/thresholds_parser.go` of its sources):
 * aggregation, operator, number. @throws when it is none, so that the test does not start
 */
export function readThreshold(written: Written, type: MetricType): Threshold {
  const {
    threshold: source,
    abortOnFail = false,
    delayAbortEval,
  } = typeof written === 'string' ? { threshold: written } : written;
  const { aggregation, operator, limit } = parse(source);
  const [, , percent] = aggregations[type].exec(aggregation) ?? [];
  if (!aggregations[type].test(aggregation) || Number(percent ?? 0) > 100)
    throw new Error(`invalid threshold '${source}': a ${type} has no '${aggregation}'`);
  const percentiles = percent === undefined ? [] : [Number(percent)];
  const key = percent === undefined ? aggregation : `p(${Number(percent)})`;
  return {
    source,
    abortOnFail,
    delayAbort: delayAbortEval === undefined ? 0 : readDuration(delayAbortEval) / 1000,
    holds(sink, seconds) {
      const value = sink.values(seconds, percentiles)[key];
      return value === undefined || compare(value, operator, limit);
    },
  };
}

function parse(source: string): { aggregation: string; operator: Operator; limit: number } {
  for (const operator of operators) {
    const at = source.indexOf(operator);
    if (at < 0 || at + operator.length === source.length) continue;
    const [aggregation, number] = [source.slice(0, at).trim(), source.slice(at + operator.length).trim()];
    if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(number)) break;
    return { aggregation, operator, limit: Number(number) };
  }
  throw new Error(`invalid threshold '${source}': expected an aggregation, an operator and a number`);
}

function compare(value: number, operator: Operator, limit: number): boolean {
  switch (operator) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '!=':
      return value !== limit;
    default:
      return value === limit;
  }
}

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration as k6 writes it (`1m30s`, `250ms`), or a number of ms. Answers ms. @throws for what is none */
export function readDuration(text: string | number): number {
  if (typeof text === 'number') return text;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (text === '' || parts.map(([part]) => part).join('') !== text) throw new Error(`invalid duration '${text}'`);
  return parts.reduce((total, [, count, unit]) => total + Number(count) * (units[unit ?? ''] ?? NaN), 0);
}
