import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processEnvironment } from '../../services/local/machine/environment.ts';
import type { KubeApi } from '../gitops/kube-api.ts';
import { repeat } from './loop.ts';

type Pod = {
  metadata: { name: string; namespace: string; labels?: Record<string, string> };
  spec: { nodeName?: string; containers: { name: string; image: string }[] };
  status: { phase: string };
};

/** How a migration went: its image, its exit code and its last line. */
export type Migration = { tag: string; exitCode: number; line: string };

export type Database = {
  /** Of its owner. */
  url: string;
  /** For each service the URL that stands in its Secret. */
  urls: Record<string, string>;
};

/** Of an image whose tag begins so: it ends with an error, or never. */
const [FAILS, HANGS] = ['fails', 'hangs'];
const EVERY_MS = 250;

/**
 * In place of a node, for Jobs: runs `/app/migrate.js` of the image that a pod names, bundled from `imageOf` its tag, on a real
 * database, and says of the pod what came of it.
 */
export async function startJobs(
  api: KubeApi,
  {
    folder,
    database,
    imageOf,
    onRun,
    say,
  }: {
    folder: string;
    database: Database;
    /** The folder that this tag's image has as /app. */
    imageOf: (tag: string) => string;
    onRun: (migration: Migration) => void;
    say: (line: string) => void;
  },
): Promise<{ stop(): Promise<void> }> {
  const urls = await writeUrls(join(folder, 'database-urls'), database.urls);
  const begun = new Set<string>();
  const ended = new AbortController();

  async function runOnce(): Promise<void> {
    const query = new URLSearchParams({ labelSelector: 'batch.kubernetes.io/job-name' });
    const { items } = await api.request<{ items: Pod[] }>('GET', `/api/v1/pods?${query}`);
    const fresh = items.filter(({ metadata, spec }) => spec.nodeName && !begun.has(metadata.name));
    for (const pod of fresh) begun.add(pod.metadata.name);
    await Promise.all(fresh.map(run));
  }

  async function run(pod: Pod): Promise<void> {
    const tag = pod.spec.containers[0]?.image.split(':').at(-1) ?? '';
    await report(pod, 'Running', { running: { startedAt: new Date().toISOString() } });
    if (tag.startsWith(HANGS)) return; // until its Job has had enough of it
    const { exitCode, line } = tag.startsWith(FAILS)
      ? { exitCode: 1, line: '{"message":"not migrated","reason":"as its tag says"}' }
      : await migrate(imageOf(tag));
    await report(pod, exitCode === 0 ? 'Succeeded' : 'Failed', { terminated: { exitCode } });
    onRun({ tag, exitCode, line });
  }

  async function migrate(image: string): Promise<{ exitCode: number; line: string }> {
    const environment = { ...processEnvironment(), DATABASE_URL: database.url, DATABASE_URLS: urls };
    const command = [process.execPath, '--no-env-file', join(image, 'migrate.js')];
    const child = Bun.spawn(command, { env: environment, stdio: ['ignore', 'pipe', 'pipe'], signal: ended.signal });
    const [out, exitCode] = await Promise.all([child.stdout.text(), child.exited]);
    return { exitCode, line: out.trim().split('\n').at(-1) ?? '' };
  }

  async function report({ metadata: { namespace, name }, spec }: Pod, phase: string, state: object): Promise<void> {
    const ready = phase === 'Running';
    const containerStatuses = spec.containers.map(({ name: container, image }) => ({
      ...{ name: container, image, imageID: '', restartCount: 0, ready, started: ready, state },
    }));
    await api.setStatus(`/api/v1/namespaces/${namespace}/pods/${name}`, { phase, containerStatuses });
  }

  const loop = repeat(runOnce, { everyMs: EVERY_MS, say });
  return {
    async stop() {
      ended.abort();
      await loop.stop();
    },
  };
}

/** As the Secret of their URLs is mounted, one file for each service. */
async function writeUrls(folder: string, urls: Record<string, string>): Promise<string> {
  await mkdir(folder);
  for (const [appId, url] of Object.entries(urls)) await writeFile(join(folder, appId), url, { mode: 0o600 });
  return folder;
}
