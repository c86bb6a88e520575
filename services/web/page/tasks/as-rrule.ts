import { type Rule, ruleOf, WEEKDAYS } from './rule.ts';

/** An interval of days ends here in a rule (shared/rrule); `custom:` goes further. */
const MAX_DAYS = 366;

/** The weekdays of a rule; one that names none recurs on that of its first day. */
export function pressedDays({ days }: Rule & { kind: 'weekly' }, firstDay: string): string[] {
  if (days.length > 0 || firstDay === '') return days;
  return [WEEKDAYS[Temporal.PlainDate.from(firstDay).dayOfWeek - 1] ?? ''];
}

/** The RFC 5545 rule that a pattern is to the server (shared/pattern); empty: none says it exactly. */
export function asRrule(pattern: string | null, firstDay: string): string {
  const rule = ruleOf(pattern);
  switch (rule.kind) {
    case 'daily':
      return 'FREQ=DAILY';
    case 'weekly': {
      const days = pressedDays(rule, firstDay).map((day) => day.slice(0, 2));
      return days.length === 0 ? '' : `FREQ=WEEKLY;BYDAY=${days}`;
    }
    case 'monthly': {
      const day = rule.day ?? Number(firstDay.slice(8));
      return day >= 1 && day <= 31 ? `FREQ=MONTHLY;${clamped(day)}` : '';
    }
    case 'last':
      return 'FREQ=MONTHLY;BYMONTHDAY=-1';
    case 'custom':
      return rule.every >= 1 && rule.every <= MAX_DAYS ? `FREQ=DAILY;INTERVAL=${rule.every}` : '';
    case 'rrule':
      return rule.text;
    case 'never':
      return '';
  }
}

/** Shorter months have their last day instead. */
function clamped(day: number): string {
  if (day <= 28) return `BYMONTHDAY=${day}`;
  return `BYMONTHDAY=${[28, 29, 30, 31].filter((one) => one <= day)};BYSETPOS=-1`;
}
