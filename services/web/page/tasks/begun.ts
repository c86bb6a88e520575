import { signal } from '@preact/signals';
import type { ApiError, TaskInput } from '../api.ts';

/** By which the address names a task that is not made yet. */
export const NEW = 'new';

/** What the form of that task begins with, and why the server would not have it before. */
export const begun = signal<{ input: TaskInput; refusal?: ApiError }>({ input: {} });
