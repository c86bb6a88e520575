// Days and times in the user's zone, never in the browser's. Asked for each row of a list, so the ends of days are kept.

/** The calendar date `YYYY-MM-DD` of an instant in a zone. */
export const dayOf = (ms: number, zone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone).toPlainDate().toString();

const ends = new Map<string, number>();

/** The last millisecond of a local day: what comes before the next one begins, whatever the clocks do. */
export function endOf(day: string, zone: string): number {
  const key = `${day} ${zone}`;
  const kept = ends.get(key);
  if (kept !== undefined) return kept;
  const end = Temporal.PlainDate.from(addDays(day, 1)).toZonedDateTime(zone).epochMilliseconds - 1;
  ends.set(key, end);
  return end;
}

export const addDays = (day: string, days: number): string => Temporal.PlainDate.from(day).add({ days }).toString();

/** The instant at which the clocks of a zone show this, as ISO 8601 UTC. One that is skipped moves forward. */
export const instantOf = (day: string, time: string, zone: string): string =>
  Temporal.PlainDateTime.from(`${day}T${time}`).toZonedDateTime(zone).toInstant().toString();

/** What daylight saving does to a wall clock of a day, in a sentence: there is none like it, or there are two. Null: nothing. */
export function clockNote(day: string, time: string, zone: string): string | null {
  const wanted = Temporal.PlainDateTime.from(`${day}T${time}`);
  const at = wanted.toZonedDateTime(zone);
  if (!at.toPlainDateTime().equals(wanted))
    return `${time} does not exist on ${day} in ${zone}: moved to ${timeOf(at.epochMilliseconds, zone)}`;
  const isTwice = !at.equals(wanted.toZonedDateTime(zone, { disambiguation: 'later' }));
  return isTwice ? `${time} comes twice on ${day} in ${zone}: the first is taken` : null;
}

/** The wall clock `HH:MM` at an instant. */
export const timeOf = (ms: number, zone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(ms)
    .toZonedDateTimeISO(zone)
    .toPlainTime()
    .toString({ smallestUnit: 'minute' });
