import { type SchemaOptions, type TSchema, Type as t } from '@sinclair/typebox';
import { CATCH_UPS, PRIORITIES, REMINDER_STATUSES } from '#shared/task';

/** What the driver gives for a column of each type. */
type Held = {
  boolean: boolean;
  date: string;
  'date[]': string[];
  integer: number;
  interval: string;
  text: string;
  timestamptz: Date;
  uuid: string;
};

/** A column that says nothing else may be null, is written by each update and is nothing that instances have of a template. */
type Column = {
  type: keyof Held;
  /** Not null: each task has one. */
  isRequired?: true;
  /** A field of Phase IV: answered whatever it holds, the others only when they are not null (CONTRACT 4). */
  isPhase4?: true;
  /** Owner, parent and creation: no update writes them. */
  isFixed?: true;
  /** How it is answered, as the published API says; absent where it is our own business. */
  answer?: TSchema;
} & (GivenColumn | { given?: never; isCopied?: true });

type GivenColumn = {
  /** How a caller gives it, as the published API says; absent where nobody may. */
  given: TSchema;
  answer: TSchema;
  /** Instances have it from their template (the due date from its rule) and follow when that is edited. To be decided. */
  isCopied: boolean;
};

const orNull = <S extends TSchema>(schema: S) => t.Union([schema, t.Null()]);
/** One of these words. */
export const oneOf = (values: readonly string[], options: SchemaOptions = {}) =>
  t.Union(
    values.map((value) => t.Literal(value)),
    options,
  );
const text = (description?: string) => orNull(t.String({ ...(description && { description }) }));

const uuid = t.String({ format: 'uuid' });
const instant = t.String({ format: 'date-time' });

/** Most characters of a title, trimmed, and of a description. */
export const MAX_TITLE = 255;
export const MAX_DESCRIPTION = 5000;

/**
 * The columns of `tasks`, each once: rows, statements, instances, bodies and answers follow from here, and the compiler or
 * a test asks for what does not. What events carry of a row is `taskSchema` of `#shared/task`.
 */
export const taskColumns = {
  id: { type: 'uuid', isRequired: true, isPhase4: true, isFixed: true, answer: uuid },
  user_id: { type: 'uuid', isRequired: true, isPhase4: true, isFixed: true, answer: uuid },
  title: {
    type: 'text',
    isRequired: true,
    isPhase4: true,
    isCopied: true,
    given: t.String({
      minLength: 1,
      maxLength: MAX_TITLE,
      description: `1 to ${MAX_TITLE} characters after trimming, at least one of them visible`,
    }),
    answer: t.String(),
  },
  description: {
    type: 'text',
    isPhase4: true,
    isCopied: true,
    given: orNull(t.String({ maxLength: MAX_DESCRIPTION })),
    answer: text(),
  },
  completed: {
    type: 'boolean',
    isRequired: true,
    isPhase4: true,
    isCopied: false,
    given: t.Boolean(),
    answer: t.Boolean(),
  },
  created_at: { type: 'timestamptz', isRequired: true, isPhase4: true, isFixed: true, answer: instant },
  updated_at: { type: 'timestamptz', isRequired: true, isPhase4: true, answer: instant },
  priority: { type: 'text', isCopied: true, given: orNull(oneOf(PRIORITIES)), answer: t.String() },
  due_date: {
    type: 'timestamptz',
    isCopied: true,
    given: text('ISO 8601 instant with offset, or a date (due at its end)'),
    answer: t.String(),
  },
  due_all_day: { type: 'boolean', isCopied: true },
  timezone: {
    type: 'text',
    isCopied: true,
    given: text("IANA name; default the user's, else UTC"),
    answer: t.String(),
  },
  recurrence_pattern: {
    type: 'text',
    isCopied: false,
    given: text('daily:, weekly:MON,WED, monthly:15, monthly:last, custom:3d or rrule:…'),
    answer: t.String(),
  },
  recurrence_end_date: {
    type: 'timestamptz',
    isCopied: false,
    given: text('last instant at which an occurrence may fall, or last date of one'),
    answer: t.String(),
  },
  recurrence_end_day: { type: 'date' },
  catch_up: { type: 'text', isCopied: false, given: orNull(oneOf(CATCH_UPS)), answer: t.String() },
  exdates: { type: 'date[]' },
  next_instance_at: { type: 'timestamptz' },
  cursor_date: { type: 'date' },
  parent_recurring_task_id: { type: 'uuid', isFixed: true, answer: uuid },
  occurrence_date: { type: 'date', isFixed: true, answer: t.String({ format: 'date' }) },
  reminder_offset: {
    type: 'interval',
    isCopied: true,
    given: text('1 day, 2 hours, 90 minutes, or P1D, PT2H'),
    answer: t.String(),
  },
  reminder_status: { type: 'text', answer: oneOf(REMINDER_STATUSES) },
  snoozed_until: { type: 'timestamptz', answer: t.String() },
  version: { type: 'integer', answer: t.Integer() },
} as const satisfies Record<string, Column>;

type Columns = typeof taskColumns;
export type ColumnName = keyof Columns;

/** What a row holds in a column. */
export type HeldBy<C extends ColumnName> =
  Held[Columns[C]['type']] | (Columns[C] extends { isRequired: true } ? never : null);

type Fact = 'isRequired' | 'isPhase4' | 'isFixed' | 'isCopied' | 'given' | 'answer';
/** The columns of which the list says this. */
type With<F extends Fact> = {
  [C in ColumnName]: Columns[C] extends Record<F, true | TSchema> ? C : never;
}[ColumnName];

export type Copied = With<'isCopied'>;
export type Given = With<'given'>;
export type Answered = With<'answer'>;

/** Named, not `*`: a prepared `select *` breaks when a later migration adds a column while this runs. */
export const columns = Object.keys(taskColumns) as ColumnName[];

export const required = those('isRequired');
export const copied = those('isCopied');
export const given = those('given');
export const answered = those('answer');
export const ofPhase4 = those('isPhase4');
const fixed: ColumnName[] = those('isFixed');
/** What an update writes. */
export const changing = columns.filter((column) => !fixed.includes(column));

function those<F extends Fact>(fact: F): With<F>[] {
  const all: Record<ColumnName, Column> = taskColumns;
  return columns.filter((column) => all[column][fact]) as With<F>[];
}
