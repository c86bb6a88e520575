import { useSignal } from '@preact/signals';
import { useLocation } from 'preact-iso';
import { useEffect, useRef } from 'preact/hooks';
import * as api from '../api.ts';
import type { PageTask } from '../api.ts';
import * as Icon from '../icons.tsx';
import { hasEvents } from '../session.ts';
import { readings, store } from '../state.ts';
import { Acts } from './acts.tsx';
import { Form, isUnsaved, type Read } from './form.tsx';
import { History } from './history.tsx';
import { taskHref } from './row.tsx';
import { isSeries } from './views.ts';

/**
 * The task that the address names, beside the list. One that is not saved stays until that is settled, wherever the address
 * went meanwhile: by a link, by a key or by Back, which cannot be held up.
 */
export function Detail() {
  const { query, path, route } = useLocation();
  const shown = useRef<string | undefined>(undefined);
  const { task: named } = query;
  const id = isUnsaved.value ? shown.current : named;
  shown.current = id;
  const close = () => {
    route(path);
    document.getElementById(`task-${id}`)?.focus();
  };
  if (!id) return null;
  return <Opened key={id} id={id} close={close} isLeft={id !== named} stay={() => route(path + taskHref(id))} />;
}

type OpenedProps = { id: string; close: () => void; isLeft: boolean; stay: () => void };

function Opened({ id, close, isLeft, stay }: OpenedProps) {
  const read = useSignal<Read | null>(null);
  const refusal = useSignal<string | null>(null);
  const listed = store.tasks.value.get(id);
  async function fetchTask(): Promise<Read | null> {
    try {
      read.value = await api.readForEdit(id);
      store.apply(read.value.task);
      refusal.value = null;
      return read.value;
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      refusal.value = error.status === 404 ? 'This task is not there any more.' : error.message;
      return null;
    }
  }
  useEffect(() => void fetchTask(), [id, listed?.updated_at, readings.value]);
  function closeByKey(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || isInDialog(event)) return;
    event.preventDefault(); // the question that this may open is there before the key has done its own: closing a dialog
    close();
  }
  const label = read.value?.task.title ?? 'Task';
  return (
    <aside class="detail" aria-label={label} onKeyDown={closeByKey}>
      <header>
        <p class="hint">{read.value ? kindOf(read.value.task) : ''}</p>
        <button class="quiet" onClick={close} title="Close (Esc)">
          <Icon.Close />
          <span class="for-ears">Close the task</span>
        </button>
      </header>
      {refusal.value && <p class="refusal">{refusal.value}</p>}
      {read.value && (
        <>
          <Acts task={read.value.task} close={close} />
          <Form read={read.value} again={fetchTask} isLeft={isLeft} stay={stay} />
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
