import { join } from 'node:path';
import { bun, commandOrExit, exitWith } from '../services/local/machine/command-line.ts';
import { Refusal } from '../services/local/machine/refusal.ts';

// bun run gitops:own --repo URL --images REGISTRY --host NAME: makes the tree that of a fork. A test finds any other file in
// which one of the three stands.

const folder = import.meta.dir;
const text = { type: 'string' } as const;

/** Where each of them stands, and how it is known there: the first match of the first file is what is replaced in all. */
export const places = {
  repo: {
    files: [
      ...['bootstrap/root-cloud.yaml', 'bootstrap/root-minikube.yaml'],
      ...['apps/base/projects.yaml', 'apps/base/platform.yaml', 'apps/base/data.yaml', 'apps/base/taskflow.yaml'],
      ...['apps/overlays/cloud/operators.yaml', 'apps/overlays/cloud/observability.yaml'],
    ],
    now: /source: \{ repoURL: ([^\s,]+),/,
    form: /^(https?|ssh|git):\/\/[\w@:.~/-]+$/,
    example: 'https://git.your.org/taskflow.git',
  },
  images: {
    files: ['images/cloud/kustomization.yaml'],
    now: /newName: (\S+)\/chat-api$/m,
    form: /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)+$/,
    example: 'registry.your.org/taskflow',
  },
  host: {
    files: ['host/cloud/kustomization.yaml'],
    now: /PUBLIC_URL=https:\/\/([^\]\s]+)/,
    form: /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
    example: 'tasks.your.org',
  },
} as const;

export type Place = keyof typeof places;

/** What stands there now. */
export async function current(place: Place, gitops = folder): Promise<string> {
  const { files, now } = places[place];
  const [, value] = now.exec(await Bun.file(join(gitops, files[0])).text()) ?? [];
  if (!value) throw new Error(`${files[0]} no longer names what --${place} sets`);
  return value;
}

/** Puts `value` wherever the present one stands. Answers the files that changed. @throws {Refusal} for what cannot be one */
export async function own(place: Place, value: string, gitops = folder): Promise<string[]> {
  const { files, form, example } = places[place];
  if (!form.test(value)) throw new Refusal(`--${place} must be such as ${example}, got ${value}`);
  const before = await current(place, gitops);
  const changed: string[] = [];
  for (const file of files) {
    const content = await Bun.file(join(gitops, file)).text();
    if (before === value || !content.includes(before)) continue;
    await Bun.write(join(gitops, file), content.replaceAll(before, value));
    changed.push(file);
  }
  return changed;
}

if (import.meta.main) {
  const { values } = commandOrExit({
    name: 'gitops:own',
    usage: `${bun} run gitops:own [--repo URL] [--images REGISTRY] [--host NAME]

  --repo    the repository that Argo CD reads, such as ${places.repo.example}
  --images  where the images of a cloud are, such as ${places.images.example}
  --host    the name that people use in a cloud, such as ${places.host.example}

Changes the files in which these stand, and no others: look at \`git diff\`, commit and push.`,
    flags: { repo: text, images: text, host: text },
  });
  try {
    const given = Object.entries(values) as [Place, string][];
    if (given.length === 0) throw new Refusal(`Nothing to own: \`${bun} run gitops:own --help\` says what it takes.`);
    for (const [place, value] of given) {
      const changed = await own(place, value);
      console.log(`${place}: ${changed.length === 0 ? `is ${value} already` : changed.join(', ')}`);
    }
  } catch (error) {
    exitWith(error);
  }
}
