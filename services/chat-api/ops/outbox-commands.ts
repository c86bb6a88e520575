import { isUuid } from '#shared/correlation';
import type { TaskEvent } from '#shared/events';
import { asJson, CommandError, type Group, listing, toSecond } from '#shared/ops';
import { listOutbox, repairOutboxRow, RepairError, showOutboxEvent, type WaitingRow } from '../outbox/outbox-repair.ts';

/** Events that wait: `outbox <command>`. A parked one holds back its task until it is repaired. */
export const outbox: Group = {
  list: {
    takes: [],
    does: 'the first 100 events that wait, parked ones first',
    run: async ({ sql }) => listing(await listOutbox(sql), columns, 'Nothing waits.'),
  },
  show: {
    takes: ['event_id'],
    does: 'print an event as JSON, to be corrected',
    async run({ sql }, [id]) {
      const event = await showOutboxEvent(sql, known(id));
      if (event === null) throw new CommandError(`There is no event ${id}.`);
      return asJson(event);
    },
  },
  repair: {
    takes: ['event_id'],
    does: 'let a parked event go on as it is',
    async run({ sql }, [id]) {
      await repairing(() => repairOutboxRow(sql, known(id)));
      return { data: { event_id: id }, text: `${id} goes on.` };
    },
  },
  correct: {
    takes: ['event_id'],
    does: 'let a parked event go on as the JSON on standard input; its id, task and version stay',
    async run({ sql }, [id]) {
      const event = (await Bun.stdin.json().catch(() => null)) as TaskEvent | null;
      if (event === null) throw new CommandError('Give the corrected event as JSON on standard input.');
      await repairing(() => repairOutboxRow(sql, known(id), event));
      return { data: { event_id: id }, text: `${id} goes on as corrected.` };
    },
  },
};

function known(id = ''): string {
  if (isUuid(id)) return id;
  throw new CommandError(`${id} is not an event id.`);
}

async function repairing(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw error instanceof RepairError ? new CommandError(error.message, { cause: error }) : error;
  }
}

const columns = {
  event: ({ event_id }: WaitingRow) => event_id,
  type: ({ event_type }: WaitingRow) => event_type,
  since: ({ created_at }: WaitingRow) => toSecond(created_at),
  'why it is parked': ({ parked_reason }: WaitingRow) => parked_reason ?? 'it is not',
};
