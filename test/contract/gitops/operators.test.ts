import { describe, expect, test } from 'bun:test';
import { Glob } from 'bun';
import { join } from 'node:path';
import { manifests } from '../manifests.ts';

// What operators are told by the values of their charts. No registry gives those charts, so that nothing here renders them.

const platform = join(import.meta.dir, '../../../gitops/platform');

/** The values of an operator in every environment, each file by itself. */
async function valuesOf<Values>(operator: string): Promise<Values[]> {
  const files = [...new Glob(`${operator}/values*.yaml`).scanSync(platform)];
  const texts = await Promise.all(files.map((file) => Bun.file(join(platform, file)).text()));
  return texts.map((text) => Bun.YAML.parse(text) as Values);
}

function specOf<Spec>(kind: string, name: string): Spec {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata?.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found.spec as Spec;
}

describe('Strimzi', async () => {
  type Values = {
    watchNamespaces?: string[];
    watchAnyNamespace?: boolean;
    extraEnvs?: { name: string; value: string }[];
  };
  const values = await valuesOf<Values>('strimzi');

  // Its chart writes a RoleBinding into each namespace that it is told to watch.
  test('writes where its project may', () => {
    const { destinations } = specOf<{ destinations: { namespace: string }[] }>('AppProject', 'platform');
    const may = destinations.map(({ namespace }) => namespace);
    const watched = values.flatMap(({ watchNamespaces = [] }) => watchNamespaces);
    expect(watched.filter((namespace) => !may.includes(namespace))).toEqual([]);
  });

  test('hears of the Kafka of another namespace than its own', () => {
    expect(values.some(({ watchAnyNamespace, watchNamespaces }) => watchAnyNamespace || watchNamespaces)).toBe(true);
  });

  test('makes pods that the namespace of Kafka lets in', () => {
    const { metadata } =
      manifests.find(({ kind, metadata: { name } = {} }) => kind === 'Namespace' && name === 'taskflow') ?? {};
    const level = metadata?.labels?.['pod-security.kubernetes.io/enforce'];
    const told = values.flatMap(({ extraEnvs = [] }) => extraEnvs);
    expect(told).toContainEqual({ name: 'STRIMZI_POD_SECURITY_PROVIDER_CLASS', value: String(level) });
  });
});

describe('monitoring', async () => {
  type Values = {
    grafana: { admin?: { existingSecret?: string } };
    alertmanager?: { alertmanagerSpec?: { useExistingSecret?: boolean; configSecret?: string } };
  };
  const [values] = await valuesOf<Values>('monitoring');
  const page = await Bun.file(join(platform, '../README.md')).text();
  const made = [...page.matchAll(/^kubectl -n monitoring create secret generic (\S+)/gm)].map(([, name]) => name);

  test('has no password of Grafana that everybody knows', () => {
    expect(made).toContain(values?.grafana.admin?.existingSecret);
  });

  test('tells somebody of an alert', () => {
    const { useExistingSecret, configSecret } = values?.alertmanager?.alertmanagerSpec ?? {};
    expect(useExistingSecret).toBe(true);
    expect(made).toContain(configSecret);
  });
});

describe('Applications', () => {
  type Source = { targetRevision: string; path?: string; kustomize?: { images?: string[] } };

  // Its manifests name `latest` at every tag.
  test('argo-rollouts runs the version that it is installed by', () => {
    const { source } = specOf<{ source: Source }>('Application', 'argo-rollouts');
    expect(source.kustomize?.images).toEqual([`quay.io/argoproj/argo-rollouts:${source.targetRevision}`]);
  });

  // A person makes the store of secrets and the name in DNS meanwhile.
  test.each(['minikube', 'cloud'])('the root of %s tries for as long as a sync may take', (environment) => {
    const roots = manifests.filter(
      ({ file, kind }) => file === `bootstrap/root-${environment}.yaml` && kind === 'Application',
    );
    expect(roots.map(({ spec }) => spec)).toEqual([
      expect.objectContaining({
        syncPolicy: expect.objectContaining({ retry: expect.objectContaining({ limit: -1, refresh: true }) }),
      }),
    ]);
  });
});
