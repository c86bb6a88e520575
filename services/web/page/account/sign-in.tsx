import { useSignal } from '@preact/signals';
import { ApiError } from '../api.ts';
import * as Icon from '../icons.tsx';
import { session, signIn, signInAsDemo } from '../session.ts';

/** The door. `again`: over a page whose session has ended, which stays as it is. */
export function SignIn({ again = false }: { again?: boolean }) {
  const refusal = useSignal<string | null>(null);
  const isBusy = useSignal(false);
  const { value } = session;
  const email = value.is === 'ended' ? value.person.email : '';

  async function attempt(enter: () => Promise<void>): Promise<void> {
    isBusy.value = true;
    refusal.value = null;
    try {
      await enter();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const wait = error.retryAfterMs ? ` Try again in ${Math.ceil(error.retryAfterMs / 1000)} s.` : '';
      refusal.value = error.message + wait;
    } finally {
      isBusy.value = false;
    }
  }
  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    void attempt(() => signIn(String(given.get('email')), String(given.get('password'))));
  }

  return (
    <div class="door">
      <Icon.Mark />
      <h1>{again ? 'Please sign in again' : 'Sign in to TaskFlow'}</h1>
      <p class="hint">
        {again ? 'Nothing you typed is lost.' : 'Tasks that recur, remind and arrive everywhere at once.'}
      </p>
      <form class="fields" onSubmit={submit}>
        <label>
          Email
          <input name="email" type="email" autocomplete="username" required defaultValue={email} />
        </label>
        <Password name="password" label="Password" autocomplete="current-password" />
        {refusal.value && (
          <p class="refusal" role="alert">
            {refusal.value}
          </p>
        )}
        <button class="primary" disabled={isBusy.value}>
          Sign in
        </button>
      </form>
      {'demo' in document.documentElement.dataset && (
        <button class="plain" disabled={isBusy.value} onClick={() => void attempt(signInAsDemo)}>
          Try it as the demo user
        </button>
      )}
    </div>
  );
}

/** A password that can be seen, and pasted (WCAG 3.3.8). */
export function Password({ name, label, autocomplete }: { name: string; label: string; autocomplete: string }) {
  const isShown = useSignal(false);
  return (
    <div class="password">
      <label for={name}>{label}</label>
      <input
        {...{ id: name, name, autocomplete }}
        type={(isShown.value ? 'text' : 'password') as 'password'}
        required
      />
      <button
        type="button"
        class="quiet"
        aria-pressed={isShown.value}
        title="Show the password"
        onClick={() => (isShown.value = !isShown.value)}
      >
        <Icon.Eye />
        <span class="for-ears">Show the password</span>
      </button>
    </div>
  );
}
