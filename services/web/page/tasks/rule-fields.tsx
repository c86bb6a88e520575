import { asRrule, pressedDays } from './as-rrule.ts';
import { NO_RULE, patternOf, type Rule, ruleOf, WEEKDAYS } from './rule.ts';

const names: [Rule['kind'], string][] = [
  ['never', 'Does not repeat'],
  ['daily', 'Every day'],
  ['weekly', 'Every week on …'],
  ['monthly', 'Every month on day …'],
  ['last', 'Every month on its last day'],
  ['custom', 'Every … days'],
  ['rrule', 'A rule (RFC 5545)'],
];

/** A rule put together: its kind, and what that kind asks of the first day. `isSeries`: it recurs for good, its end says until when. */
export function RuleFields({
  pattern,
  firstDay,
  isSeries,
  change,
}: {
  pattern: string | null;
  firstDay: string;
  isSeries: boolean;
  change: (pattern: string | null) => void;
}) {
  const rule = ruleOf(pattern);
  const set = (next: Rule) => change(patternOf(next));
  const pressed = rule.kind === 'weekly' ? pressedDays(rule, firstDay) : [];
  function press(day: string, input: HTMLInputElement): void {
    const days = input.checked ? [...pressed, day] : pressed.filter((one) => one !== day);
    if (days.length === 0)
      input.checked = true; // no week is without a day
    else set({ kind: 'weekly', days });
  }
  return (
    <fieldset class="rule">
      <legend class="for-ears">Repeat</legend>
      <label>
        Repeat
        <select
          value={rule.kind}
          onChange={({ currentTarget }) => set(first(currentTarget.value as Rule['kind'], asRrule(pattern, firstDay)))}
        >
          {names
            .filter(([kind]) => !(isSeries && kind === 'never'))
            .map(([kind, words]) => (
              <option key={kind} value={kind}>
                {words}
              </option>
            ))}
        </select>
      </label>
      {rule.kind === 'weekly' && (
        <div class="weekdays" role="group" aria-label="Weekdays">
          {WEEKDAYS.map((day) => (
            <label key={day}>
              <input
                type="checkbox"
                checked={pressed.includes(day)}
                onChange={({ currentTarget }) => press(day, currentTarget)}
              />
              <span>{day.slice(0, 1) + day.slice(1, 2).toLowerCase()}</span>
            </label>
          ))}
        </div>
      )}
      {rule.kind === 'monthly' && (
        <label>
          Day of the month
          <input
            type="number"
            min={1}
            max={31}
            placeholder="as it is due"
            value={rule.day ?? ''}
            onInput={({ currentTarget: { value } }) =>
              set({ kind: 'monthly', day: value === '' ? null : Number(value) })
            }
          />
        </label>
      )}
      {rule.kind === 'custom' && (
        <label>
          Days from one to the next
          <input
            type="number"
            min={1}
            max={3650}
            value={rule.every}
            onInput={({ currentTarget: { value } }) => value && set({ kind: 'custom', every: Number(value) })}
          />
        </label>
      )}
      {rule.kind === 'rrule' && (
        <label>
          RRULE
          <input
            name="recurrence_pattern"
            value={rule.text}
            maxLength={300}
            spellcheck={false}
            aria-describedby="rrule-like"
            onInput={({ currentTarget: { value } }) => set({ kind: 'rrule', text: value })}
          />
        </label>
      )}
      {pattern === NO_RULE && (
        <p id="rrule-like" class="hint small-text">
          For example FREQ=MONTHLY;BYDAY=2TU: the second Tuesday of each month.
        </p>
      )}
    </fieldset>
  );
}

/** What a kind begins with: a rule with what was there `before`, written out. */
function first(kind: Rule['kind'], before: string): Rule {
  switch (kind) {
    case 'weekly':
      return { kind, days: [] };
    case 'monthly':
      return { kind, day: null };
    case 'custom':
      return { kind, every: 2 };
    case 'rrule':
      return { kind, text: before };
    default:
      return { kind };
  }
}
