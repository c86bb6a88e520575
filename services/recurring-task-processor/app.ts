import { edge } from '#shared/edge';
import { type Check, health } from '#shared/health';
import type { Place } from '#shared/host';
import type { Log } from '#shared/log';
import type { Metrics } from '#shared/metrics';

/** The processor has no API: it answers for its health and its metrics only. */
export const createApp = ({
  place,
  version,
  commit,
  ready,
  log,
  metrics,
}: {
  place: Place;
  version: string;
  commit: string;
  ready: Record<string, Check>;
  log: Log;
  metrics: Metrics;
}) => edge({ log, place }).use(health({ service: 'recurring-task-processor', version, commit, ready, metrics }));
