import { changes } from '../state.ts';

/** What was just done, and the way back; what was refused, and why. */
export function Bars() {
  const undo = changes.undo.value;
  const notice = changes.notice.value;
  return (
    <div class="bars">
      <div role="alert">{notice?.isRefusal && <p class="bar is-refusal">{notice.text}</p>}</div>
      <div role="status">
        {notice && !notice.isRefusal && <p class="bar">{notice.text}</p>}
        {undo && (
          <p class="bar" key={undo.text}>
            <span>{undo.text}</span>
            <button onClick={changes.takeBack}>
              Undo <kbd>z</kbd>
            </button>
          </p>
        )}
      </div>
    </div>
  );
}
