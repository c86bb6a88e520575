import { Type as t } from '@sinclair/typebox';
import { oneOf } from '../changes/columns.ts';
import { DATES } from '../series/dates.ts';
import { MAX_KEY } from './idempotency.ts';
import { MAX_LIMIT, sortKeys } from './list.ts';

// What the published API says of queries and headers. As with bodies (model.ts), what reads them checks them.

const dueTime = 'instant with offset, or a date, which is its whole day in your zone; inclusive';
const sorts = Object.keys(sortKeys).flatMap((field) => [field, `-${field}`]);

export const listQuery = t.Partial(
  t.Object({
    completed: t.Boolean(),
    due: oneOf(['today', 'overdue', 'upcoming'], {
      description: 'by the calendar of your zone; the last two of open tasks alone',
    }),
    due_from: t.String({ description: dueTime }),
    due_to: t.String({ description: dueTime }),
    kind: oneOf(['task', 'series', 'instance'], { description: 'a plain task, a template, or a date of one' }),
    parent: t.String({ format: 'uuid', description: 'the instances of this series' }),
    q: t.String({ description: 'in title or description, whatever its case' }),
    sort: oneOf(sorts, { description: 'with - newest or latest first; -created_at if not given' }),
    limit: t.Integer({ minimum: 1, maximum: MAX_LIMIT, description: 'how many at most; all if not given' }),
    cursor: t.String({ description: 'where the page before ended: take it from its Link' }),
  }),
);

/** Which dates of a series, in a query as in a body. */
export const span = t.Partial(
  t.Object({
    from: t.String({
      format: 'date',
      description: 'first date; if not given today of a saved series, the due date of a preview',
    }),
    to: t.String({ format: 'date', description: 'last date' }),
    limit: t.Integer({ minimum: 1, maximum: DATES.most, default: DATES.limit }),
  }),
);

export const scopeQuery = t.Partial(
  t.Object({
    scope: oneOf(['this', 'series'], {
      description: 'of an instance: it alone, or its series and all that follows the template',
    }),
  }),
);

export const ifMatch = {
  'If-Match': t.Optional(
    t.String({ description: 'the ETag of what you read, or *; 412 when the task has changed since' }),
  ),
};

export const idempotencyKey = {
  'Idempotency-Key': t.Optional(
    t.String({
      minLength: 1,
      maxLength: MAX_KEY,
      description: 'your name for this request: sent again within 24 hours, it is done once and answered alike',
    }),
  ),
};
