import { join } from 'node:path';
import type { KubeObject } from './kube-api.ts';
import { moduleFolder, modules } from './sources.ts';

type Source = {
  chart?: string;
  targetRevision?: string;
  helm?: { releaseName?: string; valueFiles?: string[] };
};
type Application = KubeObject & { spec: { destination: { namespace: string }; sources?: Source[]; source?: Source } };

/** Whose definitions the objects of each chart's operator are judged by, and where a module carries the chart whole. */
const charts: Record<string, { module: string; folder?: string; set?: (version: string) => string }> = {
  // In the repository it has the images of the day; its release puts its own version there.
  dapr: { module: 'Dapr', folder: 'charts/dapr', set: (version) => `global.tag=${version}` },
  'cert-manager': { module: 'cert-manager' },
  'gateway-helm': { module: 'Envoy Gateway' },
  'external-secrets': { module: 'External Secrets' },
};

/** A chart as an Application has it: which, and with which values. */
export type Chart = { name: string; release: string; namespace: string; folder: string; values: string[]; set: string };

/** The charts of these objects that can be rendered here. @throws when an Application wants another version than lies here */
export function chartsOf(objects: KubeObject[], { tree, modules: files }: { tree: string; modules: string }): Chart[] {
  const applications = objects.filter((object): object is Application => object.kind === 'Application');
  return applications.flatMap(({ metadata, spec }) =>
    [...(spec.sources ?? []), ...(spec.source ? [spec.source] : [])].flatMap(({ chart = '', targetRevision, helm }) => {
      const known = charts[chart];
      const module = modules.find(({ name }) => name === known?.module);
      if (!known || !module) return [];
      const version = module.version.slice(1);
      if (targetRevision?.replace(/^v/, '') !== version) {
        throw new Error(
          `Application ${metadata.name}: ${chart} ${targetRevision}, but its objects are judged by ${version}`,
        );
      }
      if (!known.folder || !known.set) return [];
      return {
        name: `${chart} ${version}`,
        release: helm?.releaseName ?? metadata.name,
        namespace: spec.destination.namespace,
        folder: join(files, moduleFolder(module), known.folder),
        // Of our own repository, which Argo CD calls so.
        values: (helm?.valueFiles ?? []).map((file) => join(tree, file.replace('$values/gitops/', ''))),
        set: known.set(version),
      };
    }),
  );
}

/** What `helm template` makes of it, as Argo CD would. @throws with Helm's own words */
export async function renderChart(
  helm: string,
  { release, namespace, folder, values, set }: Chart,
): Promise<KubeObject[]> {
  const given = values.flatMap((file) => ['--values', file]);
  const command = [helm, 'template', release, folder, '--namespace', namespace, ...given, '--set', set];
  const child = Bun.spawn(command, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, problem, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (exitCode !== 0) throw new Error(`helm: ${problem.trim()}`);
  const documents = [Bun.YAML.parse(out)].flat() as (KubeObject | null)[];
  return documents.filter((document) => document !== null);
}
