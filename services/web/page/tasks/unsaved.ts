import { signal } from '@preact/signals';

/** Whether the open form holds what is not saved. */
export const isUnsaved = signal(false);
