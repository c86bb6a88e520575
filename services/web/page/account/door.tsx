import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import * as api from '../api.ts';
import { ApiError } from '../api.ts';
import * as Icon from '../icons.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { session, signIn, signInAsDemo, signUp } from '../session.ts';
import { Password } from './password.tsx';

/** What stands at the address before anybody is signed in. Codes are printed by operators' commands; a link may hold one. */
export function Door() {
  if (location.pathname === '/sign-up') return <SignUp />;
  if (location.pathname === '/reset') return <Reset />;
  return <SignIn />;
}

/** `again`: over a page whose session has ended, which stays as it is. */
export function SignIn({ again = false }: { again?: boolean }) {
  const { value } = session;
  const email = value.is === 'ended' ? value.person.email : '';
  return (
    <Frame
      name={again ? 'Please sign in again' : 'Sign in to TaskFlow'}
      hint={
        again
          ? 'Your session has ended: it was signed out elsewhere, or not used for long. Nothing you typed is lost.'
          : 'Tasks that recur, remind and arrive everywhere at once.'
      }
      why={value.is === 'out' ? value.why : undefined}
      word="Sign in"
      act={(given) => signIn(given('email'), given('password'))}
      more={
        again || (
          <>
            {'demo' in document.documentElement.dataset && <Demo />}
            <p class="hint">
              <a href="/sign-up">Make an account</a> · <a href="/reset">Use a reset code</a>
            </p>
          </>
        )
      }
    >
      <Email value={email} />
      <Password name="password" label="Password" autocomplete="current-password" />
    </Frame>
  );
}

function SignUp() {
  return (
    <Frame
      name="Make an account"
      hint="Your times will be those of this device; that can be changed."
      word="Make the account"
      act={(given) => signUp(given('email'), given('password'), given('code').trim())}
      more={
        <p class="hint">
          <a href="/">Sign in instead</a>
        </p>
      }
    >
      <Email value="" />
      <Password name="password" label="Password" autocomplete="new-password" />
      <p class="hint small-text">
        At least 8 characters, one upper-case letter and one digit; none of the common ones.
      </p>
      <Code label="Invitation code, if you have one" />
    </Frame>
  );
}

function Reset() {
  const isDone = useSignal(false);
  const back = (
    <p class="hint">
      <a href="/">Sign in</a>
    </p>
  );
  if (isDone.value)
    return (
      <div class="door">
        <Icon.Mark />
        <h1>The password is changed</h1>
        <p class="hint">All sessions are ended.</p>
        {back}
      </div>
    );
  return (
    <Frame
      name="Set a new password"
      hint="An operator prints the code."
      word="Set the password"
      act={async (given) => {
        await api.resetPassword(given('code').trim(), given('password'));
        isDone.value = true;
      }}
      more={back}
    >
      <Code label="Reset code" isRequired />
      <Password name="password" label="New password" autocomplete="new-password" />
    </Frame>
  );
}

function Frame({
  name,
  hint,
  why,
  word,
  act,
  more,
  children,
}: {
  name: string;
  hint: string;
  why?: string | undefined;
  word: string;
  act: (given: (field: string) => string) => Promise<void>;
  more: ComponentChildren;
  children: ComponentChildren;
}) {
  const { attempt, refusal, isBusy } = useAttempt();
  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    void attempt(() => act((field) => String(form.get(field) ?? '')));
  }
  return (
    <div class="door">
      <Icon.Mark />
      <h1>{name}</h1>
      {why && <p role="status">{why}</p>}
      <p class="hint">{hint}</p>
      <form class="fields" onSubmit={submit}>
        {children}
        <Refusal>{refusal}</Refusal>
        <button class="primary" disabled={isBusy}>
          {word}
        </button>
      </form>
      {more}
    </div>
  );
}

function Demo() {
  const { attempt, refusal, isBusy } = useAttempt();
  return (
    <>
      <button class="plain" disabled={isBusy} onClick={() => void attempt(signInAsDemo)}>
        Try it as the demo user
      </button>
      <Refusal>{refusal}</Refusal>
    </>
  );
}

/** One try at a time, and in words why it was refused. */
export function useAttempt() {
  const refusal = useSignal<string | null>(null);
  const isBusy = useSignal(false);
  async function attempt(act: () => Promise<void>): Promise<void> {
    isBusy.value = true;
    refusal.value = null;
    try {
      await act();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const wait = error.retryAfterMs ? ` Try again in ${Math.ceil(error.retryAfterMs / 1000)} s.` : '';
      const proxy = error.code === 'ORIGIN_MISMATCH' ? ' The server must know its own address: PUBLIC_URL.' : '';
      refusal.value = error.message + wait + proxy;
    } finally {
      isBusy.value = false;
    }
  }
  return { attempt, refusal: refusal.value, isBusy: isBusy.value };
}

const Email = ({ value }: { value: string }) => (
  <label>
    Email
    <input name="email" type="email" autocomplete="username" required defaultValue={value} />
  </label>
);

const Code = ({ label, isRequired = false }: { label: string; isRequired?: boolean }) => (
  <label>
    {label}
    <input
      name="code"
      autocomplete="one-time-code"
      spellcheck={false}
      required={isRequired}
      defaultValue={new URLSearchParams(location.search).get('code') ?? ''}
    />
  </label>
);
