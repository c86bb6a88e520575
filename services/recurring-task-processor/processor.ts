import { setImmediate } from 'node:timers/promises';
import type { Sql } from '#shared/db';
import type { Sidecar } from '#shared/dapr';
import type { Log } from '#shared/log';
import type { Metrics } from '#shared/metrics';
import { dueOccurrences, seriesOf } from '#shared/recurrence';
import { PatternError } from '#shared/rrule';
import { type DueSeries, duePlaces, dueSeries, type Place } from './due-series.ts';

/** Items of one call, and series of one look. */
const BATCH = 100;
/** Of one user in a run. */
const MAX_ITEMS = 10_000;

type Item = { parent_recurring_task_id: string } & (
  { occurrence_date: string } | { advance_past: string; skipped: number }
);
/** `skipped`: dates that `catch_up` left out and this item passes over. */
interface Ask {
  item: Item;
  skipped: number;
}
interface Result {
  status: number;
  code?: string;
}
interface Run {
  now: Date;
  stopping: AbortSignal | undefined;
  /** Codes of the series that were refused. */
  refused: Map<string, string>;
  /** Series that were due, each once. */
  found: Set<string>;
  /** Items of each user so far; a series that asks for nothing counts as one. */
  asked: Map<string, number>;
}

/**
 * Finds the series that need an instance and asks chat-api to create it. Reads only: chat-api moves the cursors, and
 * has the last word. Any number of processors may run at once; what another one had created is a success.
 */
export function createProcessor({
  sql,
  sidecar,
  serviceToken,
  log,
  metrics,
  maxItems = MAX_ITEMS,
}: {
  sql: Sql;
  sidecar: Pick<Sidecar, 'invoke'>;
  serviceToken: string;
  log: Log;
  metrics: Metrics;
  maxItems?: number;
}) {
  const due = metrics.gauge('taskflow_recurrence_due_series', 'Series that the last run found due');
  const items = metrics.counter(
    'taskflow_recurrence_instances_total',
    'Items sent to chat-api by what became of them',
    ['result'],
  );
  const skipped = metrics.counter(
    'taskflow_recurrence_skipped_total',
    'Missed dates left out, as the catch_up of a series says',
  );
  const seconds = metrics.histogram('taskflow_recurrence_tick_seconds', 'Time of one run');
  const lastSuccess = metrics.gauge(
    'taskflow_recurrence_last_success_timestamp_seconds',
    'When the last run came to its end',
  );
  /** Series refused by the run before, to say each once. */
  let known = new Set<string>();

  /**
   * Handles every series that is due at `now`; one that is refused waits for the next run. Users take turns, so that nobody
   * waits for another's thousands; what goes beyond 10,000 items of one user waits for the next run, so that nothing that falls
   * due meanwhile waits for it.
   * @throws {InvokeError} when chat-api does not answer; what was sent before is done, the next run goes on
   */
  async function runOnce(now: Date, stopping?: AbortSignal): Promise<void> {
    const stopTimer = seconds.startTimer();
    const run: Run = { now, stopping, refused: new Map(), found: new Set(), asked: new Map() };
    let places = await duePlaces(sql, now);
    for (let each = 1; places.length > 0; each = Math.min(each * 10, BATCH)) {
      places = await takeTurns(run, places, each);
    }
    tell(run.refused);
    due.set(run.found.size);
    lastSuccess.set(Date.now() / 1000);
    stopTimer();
  }

  /** Handles the next `each` series of every user. @returns where those stand who may have more */
  async function takeTurns(run: Run, places: Place[], each: number): Promise<Place[]> {
    const onward: Place[] = [];
    for (let i = 0; i < places.length && !run.stopping?.aborted; i += BATCH / each) {
      const series = await dueSeries(sql, { now: run.now, places: places.slice(i, i + BATCH / each), each });
      for (const { id } of series) run.found.add(id);
      await handle(run, series);
      for (const [userId, rows] of Map.groupBy(series, (row) => row.user_id)) {
        const mayGoOn = rows.length === each && (run.asked.get(userId) ?? 0) < maxItems;
        onward.push(...(mayGoOn ? rows.slice(-1) : []));
      }
    }
    return onward;
  }

  async function handle({ now, stopping, refused, asked }: Run, series: DueSeries[]): Promise<void> {
    const asks: Ask[] = [];
    for (const row of series) {
      if (stopping?.aborted) return;
      const own = asksOf(row, now, refused);
      asks.push(...own);
      asked.set(row.user_id, (asked.get(row.user_id) ?? 0) + Math.max(own.length, 1));
      await setImmediate(); // rules may cost 100 ms each: probes are answered in between
    }
    for (let i = 0; i < asks.length && !stopping?.aborted; i += BATCH) await send(asks.slice(i, i + BATCH), refused);
  }

  async function send(asks: Ask[], refused: Map<string, string>): Promise<void> {
    const body = { tasks: asks.map(({ item }) => item) };
    const headers = { authorization: `Bearer ${serviceToken}` };
    const answer = await sidecar.invoke('chat-api', 'api/v1/tasks/batch', body, headers);
    const { results = [] } = answer as { results?: Result[] };
    if (results.length !== asks.length) throw new Error(`${asks.length} items got ${results.length} results`);
    for (const [i, { item, skipped: passedOver }] of asks.entries()) {
      const result = outcome(item, results[i]);
      items.labels(result).inc();
      if (result === 'created' || result === 'advanced') skipped.inc(passedOver);
      if (result === 'refused') refused.set(item.parent_recurring_task_id, results[i]?.code ?? '');
    }
  }

  function tell(refused: Map<string, string>): void {
    for (const [id, code] of refused) if (!known.has(id)) log.warn('series refused', { task_id: id, code });
    known = new Set(refused.keys());
  }

  return { runOnce };
}

/** What to ask for a due series. One whose pattern or zone this version does not understand is refused here. */
function asksOf(row: DueSeries, now: Date, refused: Map<string, string>): Ask[] {
  const { id, cursor_date: after, reminder_offset: reminderOffset } = row;
  try {
    const mode = row.catch_up ?? 'latest';
    const { create, skipped, advance_past } = dueOccurrences(seriesOf(row), { after, now, reminderOffset, mode });
    if (create.length > 0)
      return create.map((date, i) => ({
        item: { parent_recurring_task_id: id, occurrence_date: date },
        skipped: i === 0 ? skipped : 0,
      }));
    // Nothing to do after all, as when a zone changed its rules: moving to where it is makes chat-api look anew.
    const reached = advance_past ?? after;
    return reached === null
      ? []
      : [{ item: { parent_recurring_task_id: id, advance_past: reached, skipped }, skipped }];
  } catch (error) {
    // Arithmetic without I/O: what it throws is about this row, and must not stop the others.
    refused.set(id, error instanceof PatternError ? error.code : String(error));
    return [];
  }
}

function outcome(item: Item, result: Result | undefined): 'created' | 'existing' | 'advanced' | 'refused' {
  const status = result?.status ?? 0;
  if (status < 200 || status >= 300) return 'refused';
  if ('advance_past' in item) return 'advanced';
  return status === 201 ? 'created' : 'existing';
}
