/** What a run of `bun test` counted, and the tests of it that failed. */
export type Totals = { passed: number; failed: number; skipped: number; failures: string[] };

/** Reads what `bun test --reporter=junit` wrote, or nothing when it ended before. A failure is a line with its test's place and name, and the first lines of what was thrown. */
export function readReport(report: string): Totals {
  const [header = ''] = /<testsuites [^>]*>/.exec(report) ?? [];
  const count = (name: string) => Number(attribute(header, name) ?? 0);
  const [failed, skipped] = [count('failures') + count('errors'), count('skipped')];
  return { passed: count('tests') - failed - skipped, failed, skipped, failures: [...readFailures(report)] };
}

const FAILED = /(<testcase [^>]*>)\s*(<failure [^>]*>)/g;
const LINES_OF_A_MESSAGE = 6;

function* readFailures(report: string): Generator<string> {
  for (const [, test = '', failure = ''] of report.matchAll(FAILED)) {
    const names = [attribute(test, 'classname'), attribute(test, 'name')].filter(Boolean).join(' > ');
    const line = attribute(test, 'line');
    const place = line ? `:${line} ${names}` : ' before or after its tests'; // what the hooks of a file throw has no test
    const said = (attribute(failure, 'message') ?? '').split('\n').filter((line) => line.trim() !== '');
    const lines = said.slice(0, LINES_OF_A_MESSAGE).map((line) => `\n  ${line}`);
    yield `${attribute(test, 'file')}${place}${lines.join('')}`;
  }
}

/** Bun escapes `<`, `>` and quotes in what it writes, so that an attribute ends at its quote and an element at its `>`. */
function attribute(element: string, name: string): string | undefined {
  return new RegExp(` ${name}="([^"]*)"`).exec(element)?.[1]?.replace(/&(lt|gt|quot|apos|amp|#(\d+));/g, unescaped);
}

function unescaped(_: string, name: string, code?: string): string {
  if (code) return String.fromCodePoint(Number(code));
  return { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }[name] ?? '';
}
