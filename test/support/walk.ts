import { civil, dayNumber, daysInMonth } from './calendar.ts';

const weekdays = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];

/** The slow oracle of recurrence: asks of each day from the start on whether the pattern names it (CONTRACT 7, RFC 5545). */
export function* walk(pattern: string, startDate: string, maxDays: number): Generator<number> {
  const start = dayNumber(startDate);
  const named = pattern.startsWith('rrule:') ? byRule(pattern.slice(6), start) : byPattern(pattern, start);
  for (let day = start; day < start + maxDays; day++) if (named(day)) yield day;
}

function byPattern(pattern: string, start: number): (day: number) => boolean {
  const [frequency = '', options = ''] = pattern.split(':');
  const first = civil(start);
  if (frequency === 'daily') return () => true;
  if (frequency === 'custom') return (day) => (day - start) % Number.parseInt(options) === 0;
  if (frequency === 'weekly') {
    const days = options ? options.split(',').map((name) => weekdays.indexOf(name.slice(0, 2))) : [first.weekday];
    return (day) => days.includes(civil(day).weekday);
  }
  const wanted = options === 'last' ? 31 : options ? Number(options) : first.date;
  return (day) => {
    const { year, month, date } = civil(day);
    return date === Math.min(wanted, daysInMonth(year, month));
  };
}

/** The subset of RRULE that TaskFlow takes, without COUNT and UNTIL. */
function byRule(rule: string, start: number): (day: number) => boolean {
  const parts = new Map(rule.split(';').map((part) => part.split('=') as [string, string]));
  const list = (key: string) => parts.get(key)?.split(',') ?? null;
  const numbers = (key: string) => list(key)?.map(Number) ?? null;
  const frequency = parts.get('FREQ') ?? '';
  const interval = Number(parts.get('INTERVAL') ?? 1);
  const weekStart = weekdays.indexOf(parts.get('WKST') ?? 'MO');
  const [byDay, byMonthDay, byMonth, bySetPos] = [
    list('BYDAY'),
    numbers('BYMONTHDAY'),
    numbers('BYMONTH'),
    numbers('BYSETPOS'),
  ];
  const first = civil(start);

  return (day) => (period(day) - period(start)) % interval === 0 && matches(day) && (!bySetPos || inPosition(day));

  function period(day: number): number {
    const { year, month, weekday } = civil(day);
    if (frequency === 'DAILY') return day;
    if (frequency === 'WEEKLY') return Math.round((day - ((weekday - weekStart + 7) % 7)) / 7);
    return frequency === 'MONTHLY' ? year * 12 + month : year;
  }

  function matches(day: number): boolean {
    const { year, month, date, weekday } = civil(day);
    const length = daysInMonth(year, month);
    if (byMonth && !byMonth.includes(month)) return false;
    if (byMonthDay && !byMonthDay.some((wanted) => (wanted > 0 ? wanted : length + 1 + wanted) === date)) return false;
    if (byDay) return byDay.some((item) => isDay(item, weekday, date, length));
    if (byMonthDay || frequency === 'DAILY') return true;
    if (frequency === 'WEEKLY') return weekday === first.weekday;
    return date === first.date && (frequency === 'MONTHLY' || byMonth !== null || month === first.month);
  }

  function isDay(item: string, weekday: number, date: number, length: number): boolean {
    if (weekdays[weekday] !== item.slice(-2)) return false;
    const ordinal = Number(item.slice(0, -2));
    if (ordinal === 0) return true;
    return ordinal > 0 ? Math.ceil(date / 7) === ordinal : Math.ceil((length - date + 1) / 7) === -ordinal;
  }

  function inPosition(day: number): boolean {
    const { year, month, date } = civil(day);
    const month1 = day - date + 1;
    const set = Array.from({ length: daysInMonth(year, month) }, (_, i) => month1 + i).filter(matches);
    return bySetPos?.some((position) => set.at(position > 0 ? position - 1 : position) === day) ?? true;
  }
}
