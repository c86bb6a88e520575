import { signal } from '@preact/signals';
import { Dialog } from './dialog.tsx';

export const isKeysOpen = signal(false);

/** Every key there is, so that nobody has to guess one. */
export function Keys({ places }: { places: { name: string; key: string }[] }) {
  if (!isKeysOpen.value) return null;
  const keys: [string, string][] = [
    ['q', 'add a task'],
    ['/', 'search'],
    ['Ctrl+K', 'everything by its name'],
    ['j k ↓ ↑', 'next and previous task'],
    ['x', 'done, or open again'],
    ['Space', 'select (Shift+J, Shift+K: with the next)'],
    ['↵ e', 'open'],
    ['h', 'history'],
    ['t t', 'to tomorrow (t d: today, t w: in a week)'],
    ['t a', 'all that is overdue to today'],
    ['s 1', 'snooze 10 min (2: 1 h, 3: tomorrow, 4: a week)'],
    ['#', 'delete, or skip one date'],
    ['z', 'undo (in a field Ctrl+Z)'],
    ...places.map(({ name, key }): [string, string] => [`g ${key}`, `go to ${name}`]),
    ['?', 'these keys'],
    ['Esc', 'back'],
  ];
  return (
    <Dialog label="Keys" close={() => (isKeysOpen.value = false)}>
      <h2 tabIndex={-1} autoFocus>
        Keys
      </h2>
      <dl class="keys">
        {keys.map(([key, words]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button class="primary">Close</button>
      </form>
    </Dialog>
  );
}
