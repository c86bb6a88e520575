import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bypassProxy } from '#shared/loopback';
import { commandOrExit, bun, createProgress } from '../../services/local/machine/command-line.ts';
import { orExit } from '../../services/local/real/tools.ts';
import { workToExit } from './interruption.ts';
import { judgeTree, openControlPlane } from './judge.ts';
import { gitopsParts } from './parts.ts';
import { readSchemas } from './schemas.ts';
import { createVerdict, type Verdict } from './verdict.ts';

// bun run check:gitops [folder]: the tree as a cluster would take it. Kustomize makes of it what Argo CD would apply, and a
// real API server, Dapr's injector and promtool judge that. Each line says what was judged, and by what; the last one is the
// verdict, `N passed, N failed, N skipped`; the exit code says the same.

const OWN_TREE = join(import.meta.dir, '../../gitops');

bypassProxy(process.env);
const say = createProgress();
const { words } = commandOrExit({
  name: 'check:gitops',
  usage: `${bun} run check:gitops [folder]

  folder  the tree to judge, instead of gitops

Needs Go, Java and Maven; what it starts is built at the first time.
The last line is the count; the exit code is 0 when nothing failed.`,
  flags: {},
  refuse: (word, index) => (index > 0 ? `Unexpected argument '${word}'` : undefined),
});

const tree = words[0] ?? OWN_TREE;
const parts = await orExit(gitopsParts(say));
await workToExit(say, async (opened) => {
  const verdict = createVerdict(console.log);
  const folder = await mkdtemp(join(tmpdir(), 'taskflow-gitops-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const plane = () => openControlPlane(parts, join(folder, 'control-plane'), opened);
  await judgeTree(tree, { parts, plane, schemas: await readSchemas(parts), folder, verdict, say });
  if (tree === OWN_TREE) await runPolicies(parts.kustomize, verdict);
  console.log(verdict.line());
  return verdict.failed() > 0 ? 1 : 0;
});

/** Our own rules of the tree, and every mistake that they are known by: its last line is a count like ours. */
async function runPolicies(kustomize: string, verdict: Verdict): Promise<void> {
  const command = [process.execPath, '--no-orphans', join(import.meta.dir, 'policies.ts'), kustomize];
  const child = Bun.spawn(command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const text = (await child.stdout.text()).trim();
  const exitCode = await child.exited;
  const lines = text.split('\n');
  const count = /^(\d+) passed, (\d+) failed, \d+ skipped$/.exec(lines.at(-1) ?? '');
  for (const line of count ? lines.slice(0, -1) : lines) console.log(line);
  if (!count) verdict.fail('our own rules', `they ended with ${exitCode} and no count`);
  else verdict.add({ passed: Number(count[1]), failed: Number(count[2]) });
}
