import { useEffect } from 'preact/hooks';
import { changes } from '../state.ts';

/** What was just done, and the way back; what was refused, and why. */
export function Bars() {
  const undo = changes.undo.value;
  const notice = changes.notice.value;
  useEffect(() => {
    addEventListener('keydown', takeBackByKey);
    return () => removeEventListener('keydown', takeBackByKey);
  }, []);
  return (
    <div class="bars">
      <div role="alert">{notice?.isRefusal && <p class="bar is-refusal">{notice.text}</p>}</div>
      <div role="status">
        {notice && !notice.isRefusal && <p class="bar">{notice.text}</p>}
        {undo && (
          <p class="bar" key={undo.text}>
            <span>{undo.text}</span>
            {undo.href && <a href={undo.href}>Open</a>}
            <button onClick={changes.takeBack}>
              Undo <kbd>{isField(document.activeElement) ? 'Ctrl Z' : 'z'}</kbd>
            </button>
          </p>
        )}
      </div>
    </div>
  );
}

const isField = (element: unknown): element is HTMLInputElement => element instanceof HTMLInputElement;

/** In a field `z` is a letter; one that is empty has nothing of its own to undo. */
function takeBackByKey(event: KeyboardEvent): void {
  const { key, ctrlKey, metaKey, shiftKey, target } = event;
  const isUndo = key.toLowerCase() === 'z' && (ctrlKey || metaKey) && !shiftKey;
  if (!isUndo || !changes.undo.value || !isField(target) || target.value !== '') return;
  event.preventDefault();
  changes.takeBack();
}
