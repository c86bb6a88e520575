import { called, type KubeObject, ofKind, type Policy } from './objects.ts';

type Source = { repoURL: string; targetRevision?: string; path?: string; chart?: string; ref?: string };
type Application = {
  project: string;
  source?: Source;
  sources?: Source[];
  destination: { namespace: string };
  syncPolicy?: {
    automated?: { enabled?: boolean; prune?: boolean; selfHeal?: boolean };
    syncOptions?: string[];
    retry?: { refresh?: boolean };
  };
};
type Project = { sourceRepos: string[]; destinations: { namespace: string }[] };

/** Argo CD brings what Git says, from where its project may bring it, and what it brings is always the same. */
export const applications: Policy = (objects) => {
  const projects = new Map(ofKind<Project>(objects, 'AppProject').map(({ metadata, spec }) => [metadata.name, spec]));
  return ofKind<Application>(objects, 'Application').flatMap((application) =>
    [
      ...ofProject(application, projects),
      ...ofSync(application),
      ...ofComparison(application),
      ...ofSources(application),
    ].map((reason) => `${called(application)}: ${reason}`),
  );
};

const sourcesOf = ({ spec }: KubeObject<Application>): Source[] => spec.sources ?? (spec.source ? [spec.source] : []);

function ofProject(application: KubeObject<Application>, projects: Map<string, Project>): string[] {
  const { project, destination } = application.spec;
  const allowed = projects.get(project);
  if (!allowed) return [`there is no AppProject ${project}`];
  return [
    ...sourcesOf(application)
      .filter(({ repoURL }) => !allowed.sourceRepos.includes(repoURL))
      .map(({ repoURL }) => `project ${project} may not read ${repoURL}`),
    ...(allowed.destinations.some(({ namespace }) => namespace === destination.namespace)
      ? []
      : [`project ${project} may not write to ${destination.namespace}`]),
  ];
}

function ofSync({ spec: { syncPolicy } }: KubeObject<Application>): string[] {
  const { automated, retry } = syncPolicy ?? {};
  return [
    ...(automated?.enabled && automated.prune && automated.selfHeal
      ? []
      : ['automated must be enabled, with prune and selfHeal']),
    // A retry of the old revision would keep its revert waiting.
    ...(retry?.refresh ? [] : ['retry.refresh must be true']),
  ];
}

/** Anything else calls a route different that is not, or a field the same that Git no longer has. */
const COMPARED = 'ServerSideDiff=true,IncludeMutationWebhook=true';

const ofComparison = ({ metadata }: KubeObject<Application>): string[] =>
  metadata.annotations?.['argocd.argoproj.io/compare-options'] === COMPARED
    ? []
    : [`compare-options must be ${COMPARED}`];

/** Our own repository by branch, since commits there are what is promoted; all else by an exact version. */
function ofSources(application: KubeObject<Application>): string[] {
  return sourcesOf(application).flatMap(({ repoURL, chart, path, ref, targetRevision = 'HEAD' }) => {
    const isOurs = ref !== undefined || path?.startsWith('gitops/');
    if (isOurs) return path?.includes('set-by-overlay') ? ['no overlay has set its path'] : [];
    return /^v?\d+\.\d+\.\d+$/.test(targetRevision)
      ? []
      : [`${chart ?? repoURL}: targetRevision must be an exact version, got ${targetRevision}`];
  });
}
