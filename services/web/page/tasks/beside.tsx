import type { ComponentChildren } from 'preact';
import * as Icon from '../icons.tsx';

type BesideProps = { label: string; kind: string; close: () => void; children: ComponentChildren };

/** What stands beside the list, until its button or Escape closes it. */
export function Beside({ label, kind, close, children }: BesideProps) {
  function closeByKey(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || isInDialog(event)) return;
    event.preventDefault(); // the question that this may open is there before the key has done its own: closing a dialog
    close();
  }
  return (
    <aside class="detail" aria-label={label} onKeyDown={closeByKey}>
      <header>
        <p class="hint">{kind}</p>
        <button class="quiet" onClick={close} title="Close (Esc)">
          <Icon.Close />
          <span class="for-ears">Close the task</span>
        </button>
      </header>
      {children}
    </aside>
  );
}

const isInDialog = ({ target }: Event): boolean => target instanceof Element && target.closest('dialog') !== null;
