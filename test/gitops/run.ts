import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bypassProxy } from '#shared/loopback';
import { commandOrExit, bun, createProgress, exitWith } from '../../services/local/machine/command-line.ts';
import { watchSignals } from '../../services/local/machine/signals.ts';
import { orExit } from '../../services/local/real/tools.ts';
import { chartsOf, renderChart } from './charts.ts';
import { startControlPlane } from './control-plane.ts';
import { checkInjection } from './injection.ts';
import type { KubeObject } from './kube-api.ts';
import { uniqueObjects } from './objects.ts';
import { type GitopsParts, gitopsParts } from './parts.ts';
import { checkRules } from './promtool.ts';
import { type Build, builds, render } from './render.ts';
import { loadSchemas, readSchemas } from './schemas.ts';
import { validateObjects, validatePods } from './validate.ts';
import { createVerdict, type Verdict } from './verdict.ts';

// bun run check:gitops [folder]: the tree as a cluster would take it. Kustomize makes of it what Argo CD would apply, and a
// real API server, Dapr's injector and promtool judge that. Each line says what was judged, and by what; the last one is the
// verdict, `N passed, N failed, N skipped`; the exit code says the same.

/** As a shell has it of SIGINT. */
const INTERRUPTED = 130;
/** Kustomize at once. */
const BUILDS = 2;

bypassProxy(process.env);
const say = createProgress();
const { words } = commandOrExit({
  name: 'check:gitops',
  usage: `${bun} run check:gitops [folder]

  folder  the tree to judge, instead of gitops

Needs Go, Java and Maven; what it starts is built at the first time.
The last line is the count; the exit code is 0 when nothing failed.`,
  flags: {},
  refuse: (word, index) => (index > 0 ? `Unexpected argument '${word}'` : undefined),
});

try {
  const parts = await orExit(gitopsParts(say));
  process.exit(await checkTree(words[0] ?? join(import.meta.dir, '../../gitops'), parts));
} catch (error) {
  exitWith(error);
}

async function checkTree(tree: string, parts: GitopsParts): Promise<number> {
  const verdict = createVerdict(console.log);
  await using opened = new AsyncDisposableStack();
  stopWhenAsked(() => opened.disposeAsync());
  const folder = await mkdtemp(join(tmpdir(), 'taskflow-gitops-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));

  const plane = startControlPlane({ programs: parts, folder: join(folder, 'control-plane') });
  opened.defer(async () => (await plane).stop());
  const all = await builds(tree, { folder, modules: parts.modules });
  const made = await renderAll(all, parts.kustomize, verdict);
  const daprCharts = await renderCharts(made, { tree, parts, verdict });
  const rendered = uniqueObjects([...made, ...daprCharts]);
  say(`${all.length} builds, ${rendered.length} objects`);

  const running = await plane;
  const { api } = running;
  const schemas = await readSchemas(parts);
  await loadSchemas(
    api,
    schemas,
    rendered.map(({ object }) => object),
  );
  say('the API server runs and has the definitions');
  await validateObjects(api, { rendered, schemas, verdict });
  await validatePods(api, { rendered, verdict });
  say('all objects are judged');
  for (const { environment, objects } of daprCharts) {
    const options = { environment, chart: objects, rendered, program: parts.injector, folder, verdict };
    await checkInjection(running, options);
  }
  say('all pods have had their sidecars');
  await checkRules(parts.promtool, { tree, folder, verdict });

  await opened.disposeAsync();
  console.log(verdict.line());
  return verdict.failed() > 0 ? 1 : 0;
}

async function renderAll(all: Build[], kustomize: string, verdict: Verdict) {
  const found: { name: string; objects: KubeObject[] }[] = [];
  const rest = all.values();
  const work = async () => {
    for (const { name, folder } of rest) {
      try {
        const objects = await render(kustomize, folder);
        found.push({ name, objects });
        verdict.pass(`${name}: kustomize, ${objects.length} objects`);
      } catch (error) {
        verdict.fail(name, error instanceof Error ? error.message : String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: BUILDS }, work));
  return found;
}

/** The charts of each environment's Applications, by name as a build. */
async function renderCharts(
  made: { name: string; objects: KubeObject[] }[],
  { tree, parts, verdict }: { tree: string; parts: GitopsParts; verdict: Verdict },
) {
  const found: { name: string; environment: string; objects: KubeObject[] }[] = [];
  for (const { name, objects } of made) {
    const [, environment] = /^apps\/overlays\/([^/ ]+)$/.exec(name) ?? [];
    if (!environment) continue;
    try {
      for (const chart of chartsOf(objects, { tree, modules: parts.modules })) {
        const own = await renderChart(parts.helm, chart);
        found.push({ name: `chart ${chart.name} of ${name}`, environment, objects: own });
        verdict.pass(`chart ${chart.name} of ${name}: helm, ${own.length} objects`);
      }
    } catch (error) {
      verdict.fail(`charts of ${name}`, error instanceof Error ? error.message : String(error));
    }
  }
  return found;
}

function stopWhenAsked(stop: () => Promise<void>): void {
  const signals = watchSignals();
  signals.onHurry(() => process.exit(INTERRUPTED));
  void signals.first.then(async (reason) => {
    say(`${reason}: stopping`);
    await stop();
    process.exit(INTERRUPTED);
  });
}
