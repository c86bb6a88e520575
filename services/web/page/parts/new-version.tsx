import { useSignal } from '@preact/signals';
import { isOutdated } from '../live/version.ts';
import { changes } from '../state.ts';
import { isUnsaved } from '../tasks/unsaved.ts';

/** Says that the server has a newer page. What is not saved is left only by a second click. */
export function NewVersion() {
  const isWarned = useSignal(false);
  if (!isOutdated.value) return null;
  function reload(): void {
    if (isWarned.value || !hasWork()) return location.reload();
    isWarned.value = true;
    changes.say('Not saved yet: save it, or reload once more to leave it.');
  }
  return (
    <p class="state is-wait" role="status">
      <span>A new version is there.</span>
      <button class="plain small" onClick={reload}>
        Reload
      </button>
    </p>
  );
}

const hasWork = (): boolean => isUnsaved.value || changes.waiting.value > 0;
