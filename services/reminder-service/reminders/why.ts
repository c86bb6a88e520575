/** What decides the sentence: as `reminder_schedule` holds it. `offset`: ISO 8601 of days and smaller, null: snoozed. */
export interface Reasoned {
  trigger_at: Date;
  due_date: string | null;
  offset: string | null;
}

/** Why and when a reminder fires, as a sentence for people: "1 day before it is due". */
export function why({ trigger_at, due_date, offset }: Reasoned, now: Date): string {
  const reason = offset === null ? 'Snoozed until this time' : before(offset, isDate(due_date));
  return trigger_at <= now ? `${reason}; its time has passed, so it comes as soon as possible.` : `${reason}.`;
}

function before(offset: string, isAllDay: boolean): string {
  const length = inWords(offset);
  // Of a mere date the offset counts from nine in the morning (CONTRACT 5).
  if (isAllDay) return length === '' ? 'At 09:00 of the day it is due' : `${length} before 09:00 of the day it is due`;
  return length === '' ? 'When it is due' : `${length} before it is due`;
}

const isDate = (due: string | null) => due !== null && /^\d{4}-\d\d-\d\d$/.test(due);

/** `P1DT2H` is "1 day and 2 hours"; a duration of nothing is empty. */
function inWords(offset: string): string {
  const { days, hours, minutes, seconds } = Temporal.Duration.from(offset);
  const parts = Object.entries({ day: days, hour: hours, minute: minutes, second: seconds })
    .filter(([, amount]) => amount !== 0)
    .map(([unit, amount]) => `${amount} ${unit}${amount === 1 ? '' : 's'}`);
  return new Intl.ListFormat('en-GB').format(parts);
}
