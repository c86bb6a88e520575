import { $ } from 'bun';
import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Schemas } from '../gitops/schemas.ts';
import { isDone, refresh, untilState } from './applications.ts';
import { startArgo } from './argocd.ts';
import { loadDefinitions, redirect, serveCharts } from './charts.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { createDatabase } from './database.ts';
import { type Migration, startJobs } from './jobs.ts';
import { startOperators } from './operators.ts';
import type { ArgoPrograms } from './programs.ts';
import { createRepository, identity, type Repository, serveRepositories } from './repository.ts';
import { writeImages } from './images.ts';

export type Environment = 'minikube' | 'cloud';

/** A cluster with Argo CD, empty otherwise, and a repository that is this checkout, owned by somebody. */
export type World = Omit<Cluster, 'stop'> & {
  environment: Environment;
  repository: Repository;
  /** Each migration that has run so far. */
  migrations: Migration[];
  /** In the clone, by this cluster's user: a line for a shell, as a person types it. @throws what it said when it fails */
  type(line: string): Promise<string>;
  /** Has Argo CD look, as a webhook would, and waits until the commit is there and healthy. @returns the seconds that it took */
  deployed(commit: string, options?: { ms?: number; name?: string }): Promise<number>;
};

/** Ten seconds where nothing else runs. */
const DEPLOYED_MS = 120_000;

/** What is typed as `npx -y bun@1.4.5 …` is run by this Bun. */
const withThisBun = (line: string) => line.replaceAll(/npx -y bun@[\d.]+ /g, 'bun ');

/** Everything in it ends with `opened`. `name`: of the repository, whose URL no other has. */
export async function openWorld(
  { environment, name, folder, own = '' }: { environment: Environment; name: string; folder: string; own?: string },
  {
    programs,
    schemas,
    say,
    opened,
  }: { programs: ArgoPrograms; schemas: Schemas; say: Say; opened: AsyncDisposableStack },
): Promise<World> {
  const place = (path: string) => join(folder, path);
  await mkdir(place('git'), { recursive: true });
  await mkdir(place('bin'));
  // By its name it knows which of Argo CD's programs it is.
  await symlink(programs.argocd, place('bin/argocd'));
  const server = await serveRepositories(place('git'));
  opened.defer(server.stop);
  const [repository, cluster, database] = await Promise.all([
    createRepository(name, { folder: place('git'), url: server.url }),
    startCluster(programs, place('cluster')),
    createDatabase(place('database')),
  ]);
  opened.defer(cluster.stop);
  opened.defer(database.stop);
  const { api } = cluster;
  const variables = {
    ...process.env,
    ...identity,
    KUBECONFIG: cluster.kubeconfig,
    PATH: [place('bin'), dirname(programs.kubectl), dirname(process.execPath), process.env['PATH']].join(':'),
  };
  async function type(line: string): Promise<string> {
    const shell = $`bash -euo pipefail -c ${withThisBun(line)}`.cwd(repository.folder).env(variables);
    const { exitCode, stdout, stderr } = await shell.nothrow().quiet();
    if (exitCode === 0) return stdout.toString();
    throw new Error(`${line} ended with ${exitCode}: ${stderr.toString().trim()}`);
  }

  const tree = join(repository.folder, 'gitops');
  const git = { folder: place('git'), url: server.url };
  const charts = await serveCharts({ folder: place('charts'), tree, environment, programs, schemas, git, say });
  opened.defer(charts.stop);
  await loadDefinitions(api, { tree, environment, programs, schemas });
  say(await type(`bun run gitops:own --repo ${repository.url} ${own}`));
  await redirect(repository, charts.addresses);
  await repository.push(`The tree is that of ${name}`);

  const migrations: Migration[] = [];
  const imageOf = await writeImages(place('images'));
  const jobs = await startJobs(api, {
    folder,
    database,
    imageOf,
    onRun: (migration) => migrations.push(migration),
    say,
  });
  opened.defer(jobs.stop);
  const operators = startOperators(api, say);
  opened.defer(operators.stop);
  const argo = await startArgo(cluster, { programs, tree, folder: place('argo') });
  opened.defer(argo.stop);

  const deployed: World['deployed'] = async (commit, { ms = DEPLOYED_MS, name: application = 'taskflow' } = {}) => {
    await refresh(api, application);
    const is = (state: Parameters<typeof isDone>[0]) => isDone(state) && state.commit === commit;
    return untilState(api, application, { is, ms, what: `Synced and Healthy at ${commit.slice(0, 8)}` });
  };
  return { ...cluster, environment, repository, migrations, type, deployed };
}

type Say = (line: string) => void;
