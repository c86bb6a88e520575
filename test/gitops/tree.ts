import { Glob } from 'bun';
import { join } from 'node:path';
import { chartsOf, renderChart } from './charts.ts';
import type { KubeObject } from './kube-api.ts';
import type { GitopsParts } from './parts.ts';
import { type Build, builds, render } from './render.ts';
import type { Verdict } from './verdict.ts';

/** What came of one way to build something. */
export type Made = { name: string; objects: KubeObject[] };

/** Kustomize at once. */
const BUILDS = 2;

/** All that comes of the tree: by Kustomize, as it stands, and of the charts that its Applications name. */
export async function renderTree(
  tree: string,
  { parts, folder, verdict, combined }: { parts: GitopsParts; folder: string; verdict: Verdict; combined: boolean },
) {
  const all = await builds(tree, { folder, modules: parts.modules, combined });
  if (all.length === 0) verdict.fail(tree, 'there is no kustomization');
  const made = [...(await renderAll(all, parts.kustomize, verdict)), ...(await readBootstrap(tree))];
  return { made, charts: await renderCharts(made, { tree, parts, verdict }) };
}

async function renderAll(all: Build[], kustomize: string, verdict: Verdict) {
  const found: Made[] = [];
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

/** What is applied by hand, once. */
async function readBootstrap(tree: string) {
  const files = await Array.fromAsync(new Glob('bootstrap/*.yaml').scan({ cwd: tree }));
  return Promise.all(
    files.map(async (file) => ({
      name: file,
      objects: [Bun.YAML.parse(await Bun.file(join(tree, file)).text())].flat() as KubeObject[],
    })),
  );
}

/** The charts of each environment's Applications, by name as a build. */
async function renderCharts(
  made: Made[],
  { tree, parts, verdict }: { tree: string; parts: GitopsParts; verdict: Verdict },
) {
  const found: (Made & { environment: string })[] = [];
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
