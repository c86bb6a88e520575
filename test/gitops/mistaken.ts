import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bypassProxy } from '#shared/loopback';
import { createProgress } from '../../services/local/machine/command-line.ts';
import { orExit } from '../../services/local/real/tools.ts';
import { workToExit } from './interruption.ts';
import { judgeTree, openControlPlane } from './judge.ts';
import { type Mistake, mistakes } from './mistakes.ts';
import { gitopsParts } from './parts.ts';
import { readSchemas } from './schemas.ts';
import { createVerdict } from './verdict.ts';

// bun test/gitops/mistaken.ts [folder [word]]: makes each mistake (or those with the word) in a copy of the tree and shows who
// refuses it, for a person who changes these checks or the tree's shape. The last line is the count of those that were seen;
// the exit code says the same.

bypassProxy(process.env);
const say = createProgress();
const [tree = join(import.meta.dir, '../../gitops'), word = ''] = process.argv.slice(2);

const parts = await orExit(gitopsParts(say));
await workToExit(say, async (opened) => {
  const folder = await mkdtemp(join(tmpdir(), 'taskflow-mistakes-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const schemas = await readSchemas(parts);
  const running = await openControlPlane(parts, join(folder, 'control-plane'), opened);
  const plane = async () => running;
  const judged = new Set<string>();
  const reasonsOf = async (copy: string) => {
    const own = join(copy, 'work');
    await mkdir(own);
    const verdict = createVerdict(() => {});
    const how = { parts, plane, schemas, judged, folder: own, verdict, combined: false, say: () => {} };
    await judgeTree(join(copy, 'gitops'), how);
    return verdict.reasons();
  };
  const before = await inCopy(folder, undefined, reasonsOf);
  const verdict = createVerdict(console.log);
  for (const mistake of mistakes.filter(({ what, by }) => `${what} ${by}`.includes(word))) {
    const reasons = (await inCopy(folder, mistake, reasonsOf)).filter((reason) => !before.includes(reason));
    const seen = reasons.find((reason) => reason.includes(mistake.says));
    if (seen) verdict.pass(`${mistake.what} (${mistake.by}): ${seen.split('\n')[0]}`);
    else verdict.fail(mistake.what, `${mistake.by} should say ${mistake.says}, got ${reasons.join('; ') || 'nothing'}`);
  }
  return verdict.conclude();
});

/** Without a mistake it is what the tree has anyway. */
async function inCopy(
  folder: string,
  mistake: Mistake | undefined,
  judge: (copy: string) => Promise<string[]>,
): Promise<string[]> {
  const copy = await mkdtemp(join(folder, 'copy-'));
  await cp(tree, join(copy, 'gitops'), { recursive: true });
  if (mistake) {
    const file = join(copy, 'gitops', mistake.file);
    const text = await Bun.file(file).text();
    const changed = text.replace(mistake.from, mistake.to);
    if (changed === text) return [`${mistake.file} has no ${mistake.from}`];
    await Bun.write(file, changed);
  }
  const reasons = await judge(copy);
  await rm(copy, { recursive: true });
  return reasons.map((reason) => reason.replaceAll(copy, ''));
}
