import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { checkInjection } from './injection.ts';
import { uniqueObjects } from './objects.ts';
import type { GitopsParts } from './parts.ts';
import { checkRules } from './promtool.ts';
import { loadSchemas, readSchemas } from './schemas.ts';
import { renderTree } from './tree.ts';
import { unusedFiles } from './unused.ts';
import { validateObjects, validatePods } from './validate.ts';
import type { Verdict } from './verdict.ts';

type Judging = {
  parts: GitopsParts;
  plane: Promise<ControlPlane>;
  /** For what is written on the way; empty. */
  folder: string;
  verdict: Verdict;
  say: (line: string) => void;
  /** False: without components on top of what does not list them. */
  combined?: boolean;
};

/** A tree as a cluster would take it, from Kustomize to the arguments of the sidecars. Each fact goes to the verdict. */
export async function judgeTree(
  tree: string,
  { parts, plane, folder, verdict, say, combined = true }: Judging,
): Promise<void> {
  const [running, { made, charts }] = await Promise.all([
    plane,
    renderTree(tree, { parts, folder, verdict, combined }),
  ]);
  const rendered = uniqueObjects([...made, ...charts]);
  say(`${made.length + charts.length} builds, ${rendered.length} objects`);

  const schemas = await readSchemas(parts);
  const objects = rendered.map(({ object }) => object);
  await loadSchemas(running.api, schemas, objects);
  say('the API server runs and has the definitions');
  await validateObjects(running.api, { rendered, schemas, verdict });
  await validatePods(running.api, { rendered, verdict });
  say('all objects are judged');

  for (const { environment, objects: chart } of charts) {
    await checkInjection(running, { environment, chart, rendered, program: parts.injector, folder, verdict });
  }
  say('all pods have had their sidecars');
  await checkRules(parts.promtool, { tree, folder, verdict });
  for (const file of await unusedFiles(tree)) verdict.fail(file, 'nothing in the tree names it');
}

/** A control plane that ends with `opened`. */
export async function openControlPlane(
  parts: GitopsParts,
  folder: string,
  opened: AsyncDisposableStack,
): Promise<ControlPlane> {
  const plane = await startControlPlane({ programs: parts, folder });
  opened.defer(plane.stop);
  return plane;
}
