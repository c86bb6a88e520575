import { t } from 'elysia';

/** What a stream carries: all, only what is critical, or nothing. The inbox keeps everything. */
const levelSchema = t.Union([t.Literal('all'), t.Literal('critical'), t.Literal('none')]);
export type Level = typeof levelSchema.static;

export const preferencesSchema = t.Object({ level: levelSchema });

/** Reminders are critical, and so far nothing else is (CONTRACT 5). */
export const CRITICAL_TYPE = 'task.reminder.triggered';

/** Whether a stream of this level carries notifications of this type. */
export const carries = (level: Level, type: string): boolean =>
  level === 'all' || (level === 'critical' && type === CRITICAL_TYPE);
