// Not Elysia's `t`: its integers and booleans are also taken as text, for queries; an event holds what its type says.
import { type Static, Type as t } from '@sinclair/typebox';
import { taskSchema } from './task.ts';

/** The one Dapr pub/sub component. */
export const PUBSUB = 'taskflow-pubsub';

const uuid = t.String({ format: 'uuid' });
const instant = t.String({ format: 'date-time' });

/** Who made the change: a person, one of their API tokens, a service, or an operator's command. */
const actorSchema = t.Object(
  { type: t.String(), id: t.String(), name: t.Optional(t.String()) },
  { additionalProperties: true },
);

/**
 * Of one event. The inbox writes a row for each in one statement, which must end within the 7 s of an append: measured 0.4 s
 * for so many, 1 s with a description of 5,000 characters, and the square of that for more, as each row names them all.
 */
export const MAX_RECIPIENTS = 500;

/** Fields of every event (CONTRACT 11). Unknown fields are kept: events only grow. */
const common = {
  event_id: uuid,
  timestamp: instant,
  actor: actorSchema,
  task_id: uuid,
  user_id: uuid,
  recipients: t.Array(uuid, { minItems: 1, maxItems: MAX_RECIPIENTS }),
  task_version: t.Integer({ minimum: 0 }),
  correlation_id: uuid,
};

const open = { additionalProperties: true } as const;

/**
 * What a consumer may ask of any event, also of a type that a later version adds: what each has carried since the first
 * release. A field that every event gets later stands in the schemas of the producer, not here: events that are under way
 * when a release comes do not have it.
 */
export const anyEventSchema = t.Object({ event_type: t.String(), ...common }, open);

const taskCreated = t.Object({ event_type: t.Literal('task.created'), ...common, task: taskSchema }, open);
const taskUpdated = t.Object(
  {
    event_type: t.Literal('task.updated'),
    ...common,
    changes: t.Record(t.String(), t.Object({ old: t.Unknown(), new: t.Unknown() }, open)),
    task: taskSchema,
  },
  open,
);
const taskCompleted = t.Object(
  { event_type: t.Literal('task.completed'), ...common, completed_at: instant, task: taskSchema },
  open,
);
const taskDeleted = t.Object(
  { event_type: t.Literal('task.deleted'), ...common, deleted_at: instant, task: taskSchema },
  open,
);
const reminderTriggered = t.Object(
  {
    event_type: t.Literal('task.reminder.triggered'),
    ...common,
    reminder_type: t.String(),
    trigger_at: instant,
    due_date: t.String(),
    offset_triggered: t.Union([t.String(), t.Null()]),
    title: t.String(),
    late_by_ms: t.Optional(t.Integer()),
    late_reason: t.Optional(t.String()),
  },
  open,
);

export type AnyEvent = Static<typeof anyEventSchema>;
export type TaskCreated = Static<typeof taskCreated>;
export type TaskUpdated = Static<typeof taskUpdated>;
export type TaskCompleted = Static<typeof taskCompleted>;
export type TaskDeleted = Static<typeof taskDeleted>;
export type ReminderTriggered = Static<typeof reminderTriggered>;
export type TaskEvent = TaskCreated | TaskUpdated | TaskCompleted | TaskDeleted | ReminderTriggered;
export type EventType = TaskEvent['event_type'];
export type Actor = Static<typeof actorSchema>;

/**
 * The catalogue: what each type of event is called on the broker, who alone may publish it, where a consumer receives
 * it and what its producer checks before it leaves. Consumers check only what they read. The manifests in `gitops/base/dapr` are compared with it by a test.
 */
export const events = {
  'task.created': {
    topic: 'taskflow.tasks.created',
    route: '/events/created',
    producer: 'chat-api',
    schema: taskCreated,
  },
  'task.updated': {
    topic: 'taskflow.tasks.updated',
    route: '/events/updated',
    producer: 'chat-api',
    schema: taskUpdated,
  },
  'task.completed': {
    topic: 'taskflow.tasks.completed',
    route: '/events/completed',
    producer: 'chat-api',
    schema: taskCompleted,
  },
  'task.deleted': {
    topic: 'taskflow.tasks.deleted',
    route: '/events/deleted',
    producer: 'chat-api',
    schema: taskDeleted,
  },
  'task.reminder.triggered': {
    topic: 'taskflow.tasks.reminder-triggered',
    route: '/events/reminder-triggered',
    producer: 'reminder-service',
    schema: reminderTriggered,
  },
} as const satisfies Record<EventType, { topic: string; route: string; producer: string; schema: unknown }>;

export const eventTypes = Object.keys(events) as EventType[];

/** Dapr app-id of each consumer and the types it subscribes to. */
export const consumers = {
  'chat-api': ['task.reminder.triggered'],
  'notification-service': eventTypes,
  'reminder-service': ['task.created', 'task.updated', 'task.completed', 'task.deleted'],
  'audit-logger': eventTypes,
} as const satisfies Record<string, readonly EventType[]>;

export type Consumer = keyof typeof consumers;

/** Where the sidecar puts what it cannot deliver to this consumer: what is no JSON. */
export const deadLetterTopic = (appId: string): string => `taskflow.dlq.${appId}`;
export const DEAD_LETTER_ROUTE = '/events/dead-letter';
/** Where an operator's command gives a consumer what it once refused. No subscription leads there. */
export const REPLAY_ROUTE = '/events/replay';

/** Order is kept for each task: all its events go to one partition. */
export const partitionKey = (event: TaskEvent): string => event.task_id;

/**
 * The CloudEvents 1.0 envelope as a consumer receives it. The sidecar writes it around `data`; `id` is our `event_id`,
 * since we publish with the metadata `cloudevent.id` (its own `time` has whole seconds: read `data.timestamp`).
 */
export interface CloudEvent {
  specversion: string;
  id: string;
  source: string;
  type: string;
  time?: string;
  topic?: string;
  pubsubname?: string;
  traceparent?: string;
  data: TaskEvent;
}
