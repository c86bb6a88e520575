import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bypassProxy } from '#shared/loopback';
import { commandOrExit, bun, createProgress } from '../../services/local/machine/command-line.ts';
import { orExit } from '../../services/local/real/tools.ts';
import { workToExit } from './interruption.ts';
import { judgeTree, openControlPlane } from './judge.ts';
import { judgeKafkaUsers } from './kafka-users.ts';
import { gitopsParts } from './parts.ts';
import { judgePolicies } from './policies.ts';
import { readSchemas } from './schemas.ts';
import { createVerdict } from './verdict.ts';

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
  if (tree === OWN_TREE) {
    await judgePolicies(parts.kustomize, verdict);
    say('our own rules are asked, and their mistakes made');
    await judgeKafkaUsers(parts.kustomize, verdict, say);
  }
  return verdict.conclude();
});
