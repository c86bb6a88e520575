import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { checkInjection } from './injection.ts';
import { uniqueObjects } from './objects.ts';
import type { GitopsParts } from './parts.ts';
import { checkRules } from './promtool.ts';
import { loadSchemas, type Schemas } from './schemas.ts';
import { renderTree } from './tree.ts';
import { unreadableFiles, unusedFiles } from './files.ts';
import { validateObjects, validatePods } from './validate.ts';
import type { Verdict } from './verdict.ts';

type Judging = {
  parts: GitopsParts;
  /** Called once the tree can be read: while the server starts, Kustomize builds. */
  plane: () => Promise<ControlPlane>;
  schemas: Schemas;
  /** For what is written on the way; empty. */
  folder: string;
  verdict: Verdict;
  say: (line: string) => void;
  /** False: without components on top of what does not list them. */
  combined?: boolean;
  /** Objects that were judged before, as JSON: not asked about again. */
  judged?: Set<string>;
};

/** A tree as a cluster would take it, from Kustomize to the arguments of the sidecars. Each fact goes to the verdict. */
export async function judgeTree(
  tree: string,
  { parts, plane, schemas, folder, verdict, say, combined = true, judged = new Set() }: Judging,
): Promise<void> {
  const unreadable = await unreadableFiles(tree);
  for (const { file, reason } of unreadable) verdict.fail(file, reason);
  if (unreadable.length > 0) return; // nothing below could be read either
  const [running, { made, charts }] = await Promise.all([
    plane(),
    renderTree(tree, { parts, folder, verdict, combined }),
  ]);
  const rendered = uniqueObjects([...made, ...charts]);
  say(`${made.length + charts.length} builds, ${rendered.length} objects`);

  const unknown = rendered.filter(({ object }) => !judged.has(JSON.stringify(object)));
  await loadSchemas(
    running.api,
    schemas,
    unknown.map(({ object }) => object),
  );
  say('the API server runs and has the definitions');
  await validateObjects(running.api, { rendered: unknown, schemas, verdict });
  await validatePods(running.api, { rendered: unknown, verdict });
  for (const { object } of unknown) judged.add(JSON.stringify(object));
  say('all objects are judged');

  for (const { environment, objects: chart } of charts) {
    await checkInjection(running, { environment, chart, rendered, program: parts.injector, folder, verdict });
  }
  say('all pods have had their sidecars');
  await checkRules(parts.promtool, { tree, folder, verdict });
  for (const file of await unusedFiles(tree)) verdict.fail(file, 'nothing in the tree names it');
}

/** A control plane that ends with `opened`, also when that ends before it has started. */
export function openControlPlane(
  parts: GitopsParts,
  folder: string,
  opened: AsyncDisposableStack,
): Promise<ControlPlane> {
  const starting = startControlPlane({ programs: parts, folder });
  opened.defer(async () => {
    const plane = await starting.catch(() => undefined); // whoever waits for it hears why
    await plane?.stop();
  });
  return starting;
}
