import { frame, type Parts } from '#shared/frame';
import type { Config } from './config.ts';

/** The processor has no API: it answers for its health and its metrics only. */
export const createApp = (parts: Parts<Config>) => frame(parts);
