import { eventually } from '../support/wait.ts';
import { refresh, type State, untilState } from './applications.ts';
import { type Drill, seconds } from './drill.ts';
import { setImage } from './mistakes.ts';
import { requirePods, runningPods, templates } from './workloads.ts';
import type { World } from './world.ts';

/** Above what the Job has, activeDeadlineSeconds. */
const JOB_MS = 120_000;
/** Of a revert that must wait for the Job: what it has, and what any revert may take. */
const REVERTED_MS = 180_000;

const stopped = (name: string, { tag, says }: { tag: string; says: (state: State) => boolean }): Drill => ({
  name,
  async run(world) {
    const { api, deployed, repository } = world;
    const [before, pods] = [await templates(api), await runningPods(api)];
    await setImage(world, 'chat-api', tag);
    const commit = await repository.push(`A mistake: ${name}`);
    const from = performance.now();
    await refresh(api, 'taskflow');
    const is = (state: State) => state.commit === commit && says(state);
    const took = await untilState(api, 'taskflow', { is, ms: JOB_MS, what: 'stopped by its migration' });
    if ((await templates(api)) !== before) throw new Error('something of it arrived');
    await deployed(await repository.revert(), { ms: REVERTED_MS });
    await requirePods(api, pods);
    if ((await templates(api)) !== before) throw new Error('not everything is as it was');
    const whole = (performance.now() - from) / 1000;
    return `seen after ${seconds(took)}; nothing changed, and ${seconds(whole)} after the push its git revert was Synced`;
  },
});

export const failingMigration = stopped('a migration that fails', {
  tag: 'fails-1',
  says: ({ phase, message }) => phase === 'Failed' || /retry/i.test(message),
});

/** Reverted while it hangs: what holds the revert up is the Job, and that has a minute. */
export const hangingMigration = stopped('a migration that hangs', {
  tag: 'hangs-1',
  says: ({ phase, message }) => phase === 'Running' && message.includes('hook'),
});

/** The schema goes ahead and stays there; what was before works on it. */
export const revertAcross: Drill = {
  name: 'a revert across a migration',
  async run(world) {
    const { deployed, migrations, repository } = world;
    await setImage(world, 'chat-api', 'ahead-1');
    const took = await deployed(await repository.push('A release with a migration'));
    requireLine(world, 'ahead-1', '"names":["9999_to_come"]');
    const before = migrations.length;
    const back = await deployed(await repository.revert());
    await eventually(() => migrations.length > before, { ms: JOB_MS, what: 'the migration of the image before' });
    requireLine(world, '0.1.0', 'the schema is ahead of this image and stays as it is');
    return `a table more in ${seconds(took)}; by git revert back in ${seconds(back)}: the schema is ahead, and stays`;
  },
};

function requireLine({ migrations }: World, tag: string, text: string): void {
  const last = migrations.at(-1);
  if (last?.tag !== tag || last.exitCode !== 0 || !last.line.includes(text))
    throw new Error(`expected the migration of ${tag} to say ${text}, got ${JSON.stringify(last)}`);
}
