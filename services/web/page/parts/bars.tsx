import { useSignal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import { changes } from '../state.ts';
import { isUndo, undoKey } from './undo-key.ts';

/** What was just done, and the way back; what was refused, and why. */
export function Bars() {
  const undo = changes.undo.value;
  const notice = changes.notice.value;
  const key = useSignal(undoKey(null));
  useLayoutEffect(() => {
    if (!undo) return;
    const look = () => (key.value = undoKey(document.activeElement));
    const moves = ['focusin', 'focusout', 'input'];
    look();
    for (const move of moves) addEventListener(move, look);
    addEventListener('keydown', takeBackByKey, true); // a menu keeps its keys from all others
    return () => {
      for (const move of moves) removeEventListener(move, look);
      removeEventListener('keydown', takeBackByKey, true);
    };
  }, [undo]);
  return (
    <div class="bars">
      <div role="alert">{notice?.isRefusal && <p class="bar is-refusal">{notice.text}</p>}</div>
      <div role="status">
        {notice && !notice.isRefusal && <p class="bar">{notice.text}</p>}
        {undo && (
          <p class="bar" key={undo.text}>
            <span>{undo.text}</span>
            {undo.href && <a href={undo.href}>Open</a>}
            <button onClick={changes.takeBack}>Undo {key.value && <kbd>{key.value}</kbd>}</button>
          </p>
        )}
      </div>
    </div>
  );
}

function takeBackByKey(event: KeyboardEvent): void {
  if (!isUndo(event)) return;
  event.preventDefault();
  changes.takeBack();
}
