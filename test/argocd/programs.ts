import { join } from 'node:path';
import { cacheFolder } from '../../services/local/machine/cache.ts';
import { buildTools, type GitopsParts, gitopsParts, installTool } from '../gitops/parts.ts';

/** What a cluster with Argo CD is made of here, built and ready. */
export type ArgoPrograms = GitopsParts & {
  /** One program of all of Argo CD's; ARGOCD_BINARY_NAME says which it is. */
  argocd: string;
  /** In place of Redis. */
  redis: string;
  controllers: string;
  scheduler: string;
  kubectl: string;
  /** A kubelet that runs no container, for as many pods as one likes. */
  kwok: string;
};
type Say = (line: string) => void;

const KWOK = 'sigs.k8s.io/kwok/cmd/kwok@v0.8.0';

const packages = [
  'github.com/argoproj/argo-cd/v3/cmd',
  'k8s.io/kubernetes/cmd/kube-controller-manager',
  'k8s.io/kubernetes/cmd/kube-scheduler',
  'k8s.io/kubernetes/cmd/kubectl',
  './redis',
];

/**
 * The parts of check:gitops and these, from the same cache.
 * @throws {Refusal} as `gitopsParts`
 */
export async function argoPrograms(say: Say): Promise<ArgoPrograms> {
  const parts = await gitopsParts(say);
  const cache = cacheFolder();
  const folder = await buildTools('argocd-programs', { cache, packages, sources: ['tools/redis/main.go'], say });
  const of = (name: string) => join(folder, name);
  return {
    ...parts,
    argocd: of('cmd'),
    redis: of('redis'),
    controllers: of('kube-controller-manager'),
    scheduler: of('kube-scheduler'),
    kubectl: of('kubectl'),
    kwok: await installTool('kwok', { cache, program: KWOK, say }),
  };
}
