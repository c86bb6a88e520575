type Metric = {
  type: string;
  values: Record<string, number>;
  thresholds?: Record<string, { ok: boolean }>;
};
type Data = { metrics: Record<string, Metric> };

/**
 * The summary of a run: each threshold with what was measured as text, and all figures as JSON in the file that SUMMARY names
 * (`summary-<script>.json`). The script calls it from its handleSummary.
 */
export function report(script: string, data: unknown): Record<string, string> {
  const { metrics } = data as Data;
  const lines = Object.keys(metrics)
    .sort()
    .flatMap((name) => linesOf(name, metrics[name]));
  const failed = lines.filter(({ ok }) => !ok).length;
  const width = Math.max(...lines.map(({ what }) => what.length));
  const text = lines.map(({ ok, what, figures }) => `  ${ok ? 'ok    ' : 'FAILED'}  ${what.padEnd(width)}  ${figures}`);
  const verdict = `${script}: ${lines.length - failed} of ${lines.length} thresholds hold`;
  return {
    stdout: `\n${text.join('\n')}\n\n${verdict}\n`,
    [__ENV.SUMMARY || `summary-${script}.json`]: JSON.stringify(data, null, 2),
  };
}

function linesOf(name: string, metric: Metric | undefined): { ok: boolean; what: string; figures: string }[] {
  if (!metric?.thresholds) return [];
  const figures = Object.keys(metric.values)
    .sort()
    .map((key) => `${key} ${rounded(metric.values[key] ?? NaN)}`);
  return Object.entries(metric.thresholds)
    .sort()
    .map(([source, { ok }], i) => ({
      ok,
      what: `${name}  ${source}`,
      figures: i === 0 ? figures.join('  ') : '',
    }));
}

const rounded = (value: number): string => String(Math.round(value * 1000) / 1000);
