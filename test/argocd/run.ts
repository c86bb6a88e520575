import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bypassProxy } from '#shared/loopback';
import { bun, commandOrExit, createProgress } from '../../services/local/machine/command-line.ts';
import { orExit } from '../../services/local/real/tools.ts';
import { workToExit } from '../gitops/interruption.ts';
import { readSchemas } from '../gitops/schemas.ts';
import { createVerdict } from '../gitops/verdict.ts';
import { bootstrap } from './bootstrap.ts';
import { documented, managedBroker } from './documented.ts';
import { drift, protection, pruning } from './drift.ts';
import type { Drill } from './drill.ts';
import { badImage, brokenKustomization, unknownField } from './mistakes.ts';
import { breakGlass, rootAgain, rotation } from './glass.ts';
import { failingMigration, hangingMigration, revertAcross } from './migrations.ts';
import { argoPrograms } from './programs.ts';
import { promotion, release } from './promotion.ts';
import { isolation, toPhase4, withoutSidecar } from './rollbacks.ts';
import { type Environment, openWorld } from './world.ts';

// bun run check:argocd [word]: a real Argo CD brings this tree to a cluster without containers, and every mistake that a commit can
// make is made once. Each line says what was seen and in how many seconds; the last one is the verdict,
// `N passed, N failed, N skipped`; the exit code says the same.

type Series = { environment: Environment; name: string; own: string; drills: Drill[] };

/**
 * At once, since most of a drill is waiting. Each has a cluster, an Argo CD and a repository of its own. What says something of an
 * overlay is done on both; what is the same on either, once, shared so that both take as long.
 */
const series: Series[] = [
  {
    environment: 'minikube',
    name: 'taskflow',
    own: '',
    drills: [
      ...[bootstrap, promotion, drift, pruning, protection, badImage, isolation, withoutSidecar, toPhase4],
      ...[revertAcross, failingMigration, rotation, documented],
    ],
  },
  {
    environment: 'cloud',
    name: 'fork',
    own: '--images registry.fork.test/team/tasks --host tasks.fork.test',
    drills: [
      ...[bootstrap, release, drift, unknownField, brokenKustomization, toPhase4, breakGlass],
      ...[rootAgain, hangingMigration, managedBroker],
    ],
  },
];

bypassProxy(process.env);
const say = createProgress();
const { words } = commandOrExit({
  name: 'check:argocd',
  usage: `${bun} run check:argocd [word]

  word  only the drills that have it in their name:
${[...new Set(series.flatMap(({ drills }) => drills.map(({ name }) => `          ${name}`)))].join('\n')}

Needs Go, Java, Maven and Git; what it starts is built at the first time.
The last line is the count; the exit code is 0 when nothing failed.`,
  flags: {},
  refuse: (word, index) => (index > 0 ? `Unexpected argument '${word}'` : undefined),
});
const [word = ''] = words;

const programs = await orExit(argoPrograms(say));
await workToExit(say, async (opened) => {
  const verdict = createVerdict(console.log);
  const folder = await mkdtemp(join(tmpdir(), 'taskflow-argocd-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const schemas = await readSchemas(programs);

  async function perform({ drills, ...options }: Series): Promise<void> {
    const { environment } = options;
    const tell = (line: string) => say(`${environment}: ${line}`);
    const own = { ...options, folder: join(folder, environment) };
    const world = await openWorld(own, { programs, schemas, say: tell, opened });
    tell('Argo CD runs');
    for (const drill of drills.filter((each) => each === bootstrap || each.name.includes(word))) {
      const what = `${environment}: ${drill.name}`;
      say(what);
      try {
        verdict.pass(`${what}: ${await drill.run(world)}`);
      } catch (error) {
        verdict.fail(what, error instanceof Error ? error.message : String(error));
        tell('what comes after it would begin with what it left: not run');
        return;
      }
    }
  }

  const wanted = series.filter(({ drills }) => drills.some(({ name }) => name.includes(word)));
  await Promise.all(wanted.map(perform));
  return verdict.conclude();
});
