import { asJson, CommandError, type Group, listing, toSecond } from '#shared/ops';
import {
  correctChange,
  dropChange,
  type ListedChange,
  listChanges,
  repairChanges,
  showChange,
  type Sides,
} from '../changes/unpublished/change-repair.ts';
import { ChangeError } from '../changes/unpublished/conversion.ts';

/** Changes of tasks made without events (Phase IV, SQL by hand): `changes <command>`. A parked one holds back its task. */
export const changes: Group = {
  list: {
    takes: [],
    does: 'the first 100 changes that wait for their event, parked ones first',
    run: async ({ sql }) => listing(await listChanges(sql), columns, 'Nothing waits.'),
  },
  show: {
    takes: ['number'],
    does: 'print the task before and after as JSON, to be corrected',
    async run({ sql }, [given]) {
      const sides = await showChange(sql, known(given));
      if (!sides) throw new CommandError(`There is no change ${given}.`);
      return asJson(sides);
    },
  },
  repair: {
    takes: ['number'],
    flags: { all: '' },
    does: 'let a parked change, or all of them, go on as they are',
    async run({ sql }, [given], { all }) {
      const count = await repairChanges(sql, all ? 'all' : known(given));
      if (count === 0 && !all) throw notParked(given);
      return { data: { changes: count }, text: count === 1 ? '1 change goes on.' : `${count} changes go on.` };
    },
  },
  correct: {
    takes: ['number'],
    does: 'let a parked change go on as the JSON on standard input says, in the form that show prints',
    async run({ sql }, [given]) {
      const sides = (await Bun.stdin.json().catch(() => null)) as Partial<Sides> | null;
      if (sides?.old_row === undefined || sides.new_row === undefined) {
        throw new CommandError('Give the corrected rows as JSON on standard input: {"old_row": …, "new_row": …}.');
      }
      const { old_row, new_row } = sides;
      const isDone = await correctChange(sql, known(given), { old_row, new_row }).catch(explain);
      if (!isDone) throw notParked(given);
      return { data: { change: given }, text: `${given} goes on as corrected.` };
    },
  },
  drop: {
    takes: ['number'],
    does: 'forget a parked change: no event tells of it, what follows of its task goes on',
    async run({ sql }, [given]) {
      if (!(await dropChange(sql, known(given)))) throw notParked(given);
      return { data: { change: given }, text: `${given} is dropped.` };
    },
  },
};

function known(given = ''): number {
  if (/^\d{1,15}$/.test(given)) return Number(given);
  throw new CommandError(`${given} is not the number of a change.`);
}

const notParked = (given = '') => new CommandError(`There is no parked change ${given}.`);

function explain(error: unknown): never {
  throw error instanceof ChangeError ? new CommandError(error.message, { cause: error }) : error;
}

const columns = {
  change: ({ seq }: ListedChange) => String(seq),
  what: ({ operation }: ListedChange) => operation,
  task: ({ task_id }: ListedChange) => task_id,
  since: ({ changed_at }: ListedChange) => (Number.isNaN(changed_at.getTime()) ? 'no time' : toSecond(changed_at)),
  'why it is parked': ({ parked_reason }: ListedChange) => parked_reason ?? 'it is not',
};
