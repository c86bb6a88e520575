import type { Log } from '#shared/log';
import type { Job } from '#shared/loop';

const LOOK_MS = 1000;

/**
 * Whether this replica publishes, as `EVENTS_FILE` says: `on`, or `standby` for one that is tried before it takes over. The file
 * is looked at once a second, since a volume of the Downward API is changed by a link that moves. What cannot be read, or is
 * neither, changes nothing; before the first word it is standby.
 */
export function createPart(file: string, log: Log) {
  let isPublishing = false;

  /** @throws for what is neither `on` nor `standby` */
  async function look(): Promise<void> {
    const word = (await Bun.file(file).text()).trim();
    if (word !== 'on' && word !== 'standby') throw new Error(`${file} must say on or standby`);
    const isChanged = (word === 'on') !== isPublishing;
    isPublishing = word === 'on';
    if (isChanged) log.info(isPublishing ? 'publishing' : 'standby', { file });
  }

  return {
    job: { name: 'part', everyMs: LOOK_MS, runOnce: look } satisfies Job,
    /** The same job, whose runs do nothing while another replica has this part. */
    ofPublisher: (job: Job): Job => ({
      ...job,
      runOnce: async (stopping) => isPublishing && job.runOnce(stopping),
    }),
  };
}
