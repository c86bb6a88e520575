import { isUuid } from '#shared/correlation';
import type { TaskEvent } from '#shared/events';
import { CommandError, type Group } from '#shared/ops';
import { listOutbox, repairOutboxRow, RepairError, showOutboxEvent, type WaitingRow } from '../outbox/ops.ts';

/** Events that wait: `outbox <command>`. A parked one holds back its task until it is repaired. */
export const outbox: Group = {
  list: {
    takes: [],
    does: 'the first 100 events that wait, parked ones first: event id, type, task, version, since when, why parked',
    run: async ({ sql }) => (await listOutbox(sql)).map(lineOf).join('\n') || 'Nothing waits.',
  },
  show: {
    takes: ['event_id'],
    does: 'print an event as JSON, to be corrected',
    async run({ sql }, [id]) {
      const event = await showOutboxEvent(sql, known(id));
      if (event === null) throw new CommandError(`There is no event ${id}.`);
      return JSON.stringify(event, null, 2);
    },
  },
  repair: {
    takes: ['event_id'],
    does: 'let a parked event go on as it is',
    async run({ sql }, [id]) {
      await repairing(() => repairOutboxRow(sql, known(id)));
      return `${id} goes on.`;
    },
  },
  correct: {
    takes: ['event_id'],
    does: 'let a parked event go on as the JSON on standard input says; its id, task and version stay',
    async run({ sql }, [id]) {
      const event = (await Bun.stdin.json().catch(() => null)) as TaskEvent | null;
      if (event === null) throw new CommandError('Give the corrected event as JSON on standard input.');
      await repairing(() => repairOutboxRow(sql, known(id), event));
      return `${id} goes on as corrected.`;
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

const lineOf = (row: WaitingRow) =>
  [
    row.event_id,
    row.event_type,
    row.task_id,
    row.task_version,
    row.created_at.toISOString(),
    row.parked_reason ?? 'waits',
  ].join('\t');
