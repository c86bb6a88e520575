import { useSignal } from '@preact/signals';
import { useLocation } from 'preact-iso';
import { useEffect } from 'preact/hooks';
import * as api from '../api.ts';
import type { PageTask } from '../api.ts';
import * as Icon from '../icons.tsx';
import { hasEvents } from '../session.ts';
import { changes, readings, store } from '../state.ts';
import { Acts } from './acts.tsx';
import { Form, isUnsaved, type Read } from './form.tsx';
import { History } from './history.tsx';
import { isSeries } from './views.ts';

/** The task that the address names, beside the list. */
export function Detail() {
  const { query, path, route } = useLocation();
  const { task: id } = query;
  const close = () => {
    route(path);
    document.getElementById(`task-${id}`)?.focus();
  };
  return id ? <Opened key={id} id={id} close={close} /> : null;
}

function Opened({ id, close }: { id: string; close: () => void }) {
  const read = useSignal<Read | null>(null);
  const isWarned = useSignal(false);
  /** What was typed is not lost by one key: the second time is meant. */
  function leave(): void {
    if (!isUnsaved.value || isWarned.value) return close();
    isWarned.value = true;
    changes.say('Not saved yet: save it, or close once more to leave it.');
  }
  const refusal = useSignal<string | null>(null);
  const listed = store.tasks.value.get(id);
  async function fetchTask(): Promise<void> {
    try {
      read.value = await api.readForEdit(id);
      store.apply(read.value.task);
      refusal.value = null;
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      refusal.value = error.status === 404 ? 'This task is not there any more.' : error.message;
    }
  }
  useEffect(() => void fetchTask(), [id, listed?.updated_at, readings.value]);
  const label = read.value?.task.title ?? 'Task';
  return (
    <aside
      class="detail"
      aria-label={label}
      onKeyDown={(event) => event.key === 'Escape' && !isInDialog(event) && leave()}
    >
      <header>
        <p class="hint">{read.value ? kindOf(read.value.task) : ''}</p>
        <button class="quiet" onClick={leave} title="Close (Esc)">
          <Icon.Close />
          <span class="for-ears">Close the task</span>
        </button>
      </header>
      {refusal.value && <p class="refusal">{refusal.value}</p>}
      {read.value && (
        <>
          <Acts task={read.value.task} close={close} />
          <Form read={read.value} again={fetchTask} />
        </>
      )}
      {hasEvents.value && (read.value || refusal.value) && <Past id={id} />}
    </aside>
  );
}

const isInDialog = ({ target }: Event): boolean => target instanceof Element && target.closest('dialog') !== null;

const kindOf = (task: PageTask): string =>
  isSeries(task)
    ? 'Series: each date is a task of its own'
    : task.parent_recurring_task_id
      ? 'One date of a series'
      : 'Task';

/** Closed until it is asked for: the trail is another service's. */
function Past({ id }: { id: string }) {
  const isOpen = useSignal(false);
  return (
    <details class="past" onToggle={({ currentTarget }) => (isOpen.value = (currentTarget as HTMLDetailsElement).open)}>
      <summary>History</summary>
      {isOpen.value && <History id={id} />}
    </details>
  );
}
