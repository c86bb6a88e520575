/**
 * What `-e NAME=…` or the environment says, else `usual`. Throws for what is no number above 0: k6 then names the setting and
 * starts nothing.
 */
export function setting(name: string, usual: number): number {
  const text = __ENV[name];
  const value = text === undefined || text === '' ? usual : Number(text);
  if (!(value > 0 && value < Infinity))
    throw new Error(`${name} must be a number above 0, not ${JSON.stringify(text)}`);
  return value;
}

/** The same of an address, without a slash at its end. */
export function address(name: string, usual: string): string {
  const text = __ENV[name] || usual;
  if (!/^https?:\/\/[^/]+/.test(text)) {
    throw new Error(`${name} must be an address such as http://localhost:8080, not ${JSON.stringify(text)}`);
  }
  return text.replace(/\/+$/, '');
}

/** For how long an event is waited for before it counts as lost, in seconds. */
export const LOST_AFTER = setting('LOST_AFTER', 10);

/** As k6 writes durations. */
export const seconds = (count: number): string => `${Math.round(count * 1000)}ms`;

/** What the summary shows of a trend. */
export const trendStats = ['min', 'med', 'p(95)', 'p(99)', 'max', 'count'];
