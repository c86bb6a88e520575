import { useSignal } from '@preact/signals';
import * as Icon from '../icons.tsx';

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
        <span class="for-ears">Show: {label}</span>
      </button>
    </div>
  );
}
