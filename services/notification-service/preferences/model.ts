import { t } from 'elysia';

/** What a stream carries: all, only what is critical, or nothing. The inbox keeps everything. */
const levelSchema = t.Union([t.Literal('all'), t.Literal('critical'), t.Literal('none')]);
export type Level = typeof levelSchema.static;

export const preferencesSchema = t.Object({ level: levelSchema });

/** The types that a level lets through; null: each. Reminders are critical, and so far nothing else is (CONTRACT 5). */
export const typesOf: Record<Level, string[] | null> = { all: null, critical: ['task.reminder.triggered'], none: [] };

/** Whether a stream of this level carries notifications of this type. */
export const carries = (level: Level, type: string): boolean => typesOf[level]?.includes(type) ?? true;
