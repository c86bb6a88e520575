import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processEnvironment } from '../../services/local/machine/environment.ts';

const root = join(import.meta.dir, '../..');
/** Of Bun, whose usual 256 requests at once would hold back the streams of a script. */
const AT_ONCE = '20000';

/** How `k6` is called: what stands for it here. */
export type Program = string[];

/** Ours. */
export const runner: Program = [process.execPath, join(root, 'test/support/k6/main.ts')];

/** Grafana's, where it is installed. */
export function realOnPath(): Program | undefined {
  const path = Bun.which('k6');
  return path === null ? undefined : [path];
}

export type Performed = {
  exitCode: number;
  /** Each as `metric threshold`, and those that failed. */
  thresholds: string[];
  failed: string[];
  said: string;
};

type Summary = { metrics: Record<string, { thresholds?: Record<string, { ok: boolean }> }> };

/** Runs a script of `k6/` with these settings, and reads its summary. */
export async function performScript(
  program: Program,
  script: string,
  settings: Record<string, string | number>,
): Promise<Performed> {
  return perform([...program, 'run', '--quiet', join(root, 'k6', `${script}.ts`)], settings);
}

/** Runs a command that is, or ends in, one run of k6. */
export async function perform(command: string[], settings: Record<string, string | number>): Promise<Performed> {
  const folder = await mkdtemp(join(tmpdir(), 'taskflow-k6-'));
  const summary = join(folder, 'summary.json');
  try {
    const child = Bun.spawn(command, {
      cwd: root,
      env: {
        ...processEnvironment(),
        ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, `${value}`])),
        ...{ SUMMARY: summary, BUN_CONFIG_MAX_HTTP_REQUESTS: AT_ONCE },
        // k6 would tell its makers of each run, and serve an API for which two runs at once have no port.
        ...{ K6_NO_USAGE_REPORT: 'true', K6_ADDRESS: '127.0.0.1:0' },
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    const file = Bun.file(summary);
    const { metrics } = (await file.exists()) ? ((await file.json()) as Summary) : { metrics: {} };
    const judged = Object.entries(metrics).flatMap(([metric, { thresholds = {} }]) =>
      Object.entries(thresholds).map(([source, { ok }]) => ({ name: `${metric} ${source}`, ok })),
    );
    return {
      exitCode,
      thresholds: judged.map(({ name }) => name),
      failed: judged.filter(({ ok }) => !ok).map(({ name }) => name),
      said: err + out,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
