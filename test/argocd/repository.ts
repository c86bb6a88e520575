import { $ } from 'bun';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Child, requireListener, untilReady } from '../../services/local/machine/child.ts';
import { freePort } from '../../services/local/machine/port.ts';
import { spawnPart } from './cluster.ts';

const root = join(import.meta.dir, '../..');
const READY_MS = 10_000;
/** Nothing of whoever runs this. */
export const identity = {
  ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', GIT_TERMINAL_PROMPT: '0' },
  ...{ GIT_AUTHOR_NAME: 'platform', GIT_AUTHOR_EMAIL: 'platform@example.com' },
  ...{ GIT_COMMITTER_NAME: 'platform', GIT_COMMITTER_EMAIL: 'platform@example.com' },
};

/** A bare repository and somebody's clone of it, on the one branch that Argo CD reads. */
export type Repository = {
  url: string;
  /** The clone. */
  folder: string;
  /** Replaces in a file, from the root on. @throws when it has no such text */
  edit(file: string, from: string, to: string): Promise<void>;
  /** Commits whatever changed, and pushes. @returns the commit */
  push(message: string): Promise<string>;
  /** `git revert` of a commit, or of the last, and pushes. @returns the new commit */
  revert(commit?: string): Promise<string>;
};

/** Serves the bare repositories below a folder to whoever asks on the loopback, without leave to push. */
export async function serveRepositories(folder: string): Promise<Child & { url: string }> {
  const port = freePort();
  const flags = ['--listen=127.0.0.1', `--port=${port}`, `--base-path=${folder}`, '--export-all', '--reuseaddr'];
  const server = spawnPart(['git', 'daemon', ...flags, folder]);
  const url = `git://127.0.0.1:${port}`;
  const probe = () => requireListener(port);
  return { ...(await untilReady(server, { name: 'git daemon', ms: READY_MS, probe })), url };
}

/** Makes a repository of this checkout, as its files are now. Its clone can run what package.json names. */
export async function createRepository(
  name: string,
  { folder, url }: { folder: string; url: string },
): Promise<Repository> {
  const clone = join(folder, `${name}-clone`);
  const bare = join(folder, `${name}.git`);
  await copyCheckout(clone);
  await $`git init -q --bare -b main ${bare} && git init -q -b main ${clone}`
    .env({ ...process.env, ...identity })
    .quiet();
  return repositoryAt(clone, { bare, url: `${url}/${name}.git` });
}

async function repositoryAt(clone: string, { bare, url }: { bare: string; url: string }): Promise<Repository> {
  const run = (command: string[]) =>
    $`git ${command}`
      .cwd(clone)
      .env({ ...process.env, ...identity })
      .text();
  await run(['remote', 'add', 'origin', bare]);
  // Of packages it has a link, which .gitignore does not mean.
  await Bun.write(join(clone, '.git/info/exclude'), 'node_modules\n');
  const pushed = async () => {
    await run(['push', '-q', 'origin', 'main']);
    return (await run(['rev-parse', 'HEAD'])).trim();
  };
  const push = async (message: string) => {
    await run(['add', '-A']);
    await run(['commit', '-qm', message]);
    return pushed();
  };
  await push('the checkout');
  return {
    url,
    folder: clone,
    push,
    async edit(file, from, to) {
      const path = join(clone, file);
      const text = await Bun.file(path).text();
      if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
      await Bun.write(path, text.replaceAll(from, to));
    },
    async revert(commit = 'HEAD') {
      await run(['revert', '--no-edit', commit]);
      return pushed();
    },
  };
}

async function copyCheckout(into: string): Promise<void> {
  const listed = await $`git ls-files -co --exclude-standard`.cwd(root).text();
  for (const file of listed.split('\n').filter(Boolean)) {
    if (!(await Bun.file(join(root, file)).exists())) continue; // removed, and not committed yet
    await mkdir(dirname(join(into, file)), { recursive: true });
    await cp(join(root, file), join(into, file));
  }
  await symlink(join(root, 'node_modules'), join(into, 'node_modules'));
}
