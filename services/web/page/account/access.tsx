import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import * as api from '../api.ts';
import { Part } from '../parts/part.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { zone } from '../session.ts';
import { changes } from '../state.ts';
import { fullTime } from '../words.ts';
import { useAttempt } from './door.tsx';

/** Where this person is signed in, and the end of it. */
export function Sessions() {
  const sessions = useSignal<api.Login[]>([]);
  const { attempt, refusal } = useAttempt();
  const read = async () => void (sessions.value = await api.sessions());
  const end = (ids: string[]) =>
    void attempt(async () => {
      for (const id of ids) await api.endSession(id);
      await read();
      changes.say('Signed out there.');
    });
  useEffect(() => void attempt(read), []);
  const others = sessions.value.filter(({ current }) => !current).map(({ id }) => id);
  return (
    <Part name="Signed in">
      <ul class="access">
        {sessions.value.map(({ id, device, address, last_used_at: at, current }) => (
          <li key={id}>
            <p>
              <b>{device ?? 'Unknown device'}</b>
              <span class="hint">
                {[address, current ? 'this one' : `last used ${fullTime(at, zone.value)}`].filter(Boolean).join(' · ')}
              </span>
            </p>
            {!current && (
              <button class="plain small" onClick={() => end([id])}>
                Sign out<span class="for-ears"> {device}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
      {others.length > 1 && (
        <button class="plain" onClick={() => end(others)}>
          Sign out everywhere else
        </button>
      )}
      <Refusal>{refusal}</Refusal>
    </Part>
  );
}

const scopeWords: Record<(typeof api.SCOPES)[number], string> = {
  'tasks:read': 'Read tasks',
  'tasks:write': 'Change tasks',
  'notifications:read': 'Read the inbox',
  'audit:read': 'Read histories',
};

/** For programs: each has its own, shown once, revoked alone. */
export function Tokens() {
  const tokens = useSignal<api.ApiToken[]>([]);
  const made = useSignal<{ id: string; token: string } | null>(null);
  /** Asked once more: a program that uses it stops at once. */
  const asked = useSignal<string | null>(null);
  const { attempt, refusal, isBusy } = useAttempt();
  const read = async () => void (tokens.value = await api.tokens());
  useEffect(() => void attempt(read), []);
  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = new FormData(form);
    const days = Number(given.get('days'));
    void attempt(async () => {
      made.value = await api.createToken(String(given.get('name')), given.getAll('scope').map(String), days || null);
      form.reset();
      await read();
    });
  }
  const revoke = ({ id, name }: api.ApiToken) =>
    void attempt(async () => {
      if (asked.value !== id) return void (asked.value = id);
      await api.revokeToken(id);
      if (made.value?.id === id) made.value = null;
      await read();
      changes.say(`${name} is revoked.`);
    });
  return (
    <Part name="API tokens">
      <ul class="access">
        {tokens.value.map((token) => (
          <li key={token.id}>
            <p>
              <b>{token.name}</b>
              <span class="hint">
                {token.scopes.map((scope) => scopeWords[scope]).join(', ')} ·{' '}
                {token.last_used_at ? `last used ${fullTime(token.last_used_at, zone.value)}` : 'never used'}
                {token.expires_at && ` · until ${fullTime(token.expires_at, zone.value)}`}
              </span>
            </p>
            <button class="plain small" onClick={() => revoke(token)}>
              {asked.value === token.id ? 'Revoke for good' : 'Revoke'}
              <span class="for-ears"> {token.name}</span>
            </button>
          </li>
        ))}
      </ul>
      {made.value && (
        <p class="made" role="status">
          Copy it now, it is not shown again: <code>{made.value.token}</code>
          {'clipboard' in navigator && (
            <button
              class="plain small"
              onClick={() =>
                void navigator.clipboard.writeText(made.value?.token ?? '').then(() => changes.say('Copied.'))
              }
            >
              Copy
            </button>
          )}
        </p>
      )}
      <form class="fields" onSubmit={submit}>
        <label>
          Name of the program
          <input name="name" required autocomplete="off" />
        </label>
        <fieldset class="scopes">
          <legend>What it may do</legend>
          {api.SCOPES.map((scope) => (
            <label key={scope} class="tick">
              <input type="checkbox" name="scope" value={scope} defaultChecked={scope === 'tasks:read'} />
              {scopeWords[scope]}
            </label>
          ))}
        </fieldset>
        <label>
          For
          <select name="days">
            <option value="90">90 days</option>
            <option value="365">a year</option>
            <option value="">no end</option>
          </select>
        </label>
        <Refusal>{refusal}</Refusal>
        <button class="plain" disabled={isBusy}>
          Make a token
        </button>
      </form>
    </Part>
  );
}
