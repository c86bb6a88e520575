import * as api from '../api.ts';
import { hasSingleKeys, hidesTitles, type Theme, theme } from '../choices.ts';
import { ask, level, permission } from '../live/outside.ts';
import { Part } from '../parts/part.tsx';
import { Heading } from '../parts/heading.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { hasEvents, zone } from '../session.ts';
import { changes, chooseZone } from '../state.ts';
import { useAttempt } from './door.tsx';
import { Password } from './password.tsx';
import { Sessions, Tokens } from './access.tsx';

/** What a person may set: for himself everywhere, and for this device. */
export default function SettingsScreen() {
  return (
    <>
      <Heading name="Settings" />
      {hasEvents.value && <Times />}
      {hasEvents.value && <Notices />}
      <Part name="This device">
        <label>
          Theme
          <select value={theme.value} onChange={({ currentTarget: { value } }) => (theme.value = value as Theme)}>
            <option value="device">as the device</option>
            <option value="light">light</option>
            <option value="dark">dark</option>
          </select>
        </label>
        <label class="tick">
          <input
            type="checkbox"
            checked={hasSingleKeys.value}
            onChange={({ currentTarget }) => (hasSingleKeys.value = currentTarget.checked)}
          />
          Single keys do something (press ? for the list)
        </label>
      </Part>
      <PasswordPart />
      <Sessions />
      <Tokens />
    </>
  );
}

function Times() {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { attempt, refusal } = useAttempt();
  const set = (name: string) =>
    void attempt(async () => {
      await chooseZone(name);
      changes.say(`Times are in ${name}.`);
    });
  return (
    <Part name="Times">
      <label>
        Time zone
        <select value={zone.value} onChange={({ currentTarget: { value } }) => set(value)}>
          {[...new Set([zone.value, here, 'UTC', ...Intl.supportedValuesOf('timeZone')])].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      {zone.value !== here && (
        <p class="hint small-text">
          Times are in {zone.value}; this device is in {here}.{' '}
          <button class="plain small" onClick={() => set(here)}>
            Use {here}
          </button>
        </p>
      )}
      <Refusal>{refusal}</Refusal>
    </Part>
  );
}

function Notices() {
  const { attempt, refusal } = useAttempt();
  const set = (value: api.Level) =>
    void attempt(async () => {
      await api.setLevel(value);
      level.value = value;
      changes.say('Saved.');
    });
  return (
    <Part name="Notifications">
      <label>
        Tell me of
        <select value={level.value} onChange={({ currentTarget }) => set(currentTarget.value as api.Level)}>
          <option value="all">reminders and changes by others</option>
          <option value="critical">reminders only</option>
          <option value="none">nothing; the inbox keeps all</option>
        </select>
      </label>
      <Outside />
      <label class="tick">
        <input
          type="checkbox"
          checked={hidesTitles.value}
          onChange={({ currentTarget }) => (hidesTitles.value = currentTarget.checked)}
        />
        Leave titles out of notifications on this device
      </label>
      <Refusal>{refusal}</Refusal>
    </Part>
  );
}

/** Whether this browser may show them outside its tabs. */
export function Outside() {
  switch (permission.value) {
    case null:
      return <p class="hint small-text">This browser shows none at this address: they need https.</p>;
    case 'granted':
      return <p class="hint small-text">Shown by this device, too, while a tab of TaskFlow is open.</p>;
    case 'denied':
      return <p class="hint small-text">Refused in this browser: its own settings allow them again.</p>;
    default:
      return (
        <button class="plain" onClick={() => void ask()}>
          Show them outside this tab
        </button>
      );
  }
}

function PasswordPart() {
  const { attempt, refusal, isBusy } = useAttempt();
  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = new FormData(form);
    void attempt(async () => {
      await api.changePassword(String(given.get('current')), String(given.get('new')));
      form.reset();
      changes.say('The password is changed; all other sessions are ended.');
    });
  }
  return (
    <Part name="Password">
      <form class="fields" onSubmit={submit}>
        <Password name="current" label="Current password" autocomplete="current-password" />
        <Password name="new" label="New password" autocomplete="new-password" />
        <Refusal>{refusal}</Refusal>
        <button class="plain" disabled={isBusy}>
          Change the password
        </button>
      </form>
    </Part>
  );
}
