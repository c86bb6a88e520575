import { useSignal } from '@preact/signals';
import { useLocation } from 'preact-iso';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { hrefWith } from '../address.ts';
import * as api from '../api.ts';
import type { PageTask } from '../api.ts';
import * as Icon from '../icons.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { hasEvents } from '../session.ts';
import { changes, store } from '../state.ts';
import { Acts } from './acts.tsx';
import { Form, isUnsaved, type Read } from './form.tsx';
import { History } from './history.tsx';
import { isSeries } from './views.ts';

/** The task that the address names, beside the list. */
export function Detail() {
  const { query, route } = useLocation();
  const { task: id } = query;
  const close = () => {
    route(hrefWith({ task: null, show: null }));
    document.getElementById(`task-${id}`)?.focus();
  };
  return id ? <Opened key={id} id={id} isPastAsked={query.show === 'history'} close={close} /> : null;
}

function Opened({ id, isPastAsked, close }: { id: string; isPastAsked: boolean; close: () => void }) {
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
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      refusal.value = error.status === 404 ? 'This task is not there any more.' : error.message;
    }
  }
  useEffect(() => void fetchTask(), [id, listed?.updated_at]);
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
      <Refusal>{refusal.value}</Refusal>
      {read.value && (
        <>
          <Acts task={read.value.task} close={close} />
          <Form read={read.value} again={fetchTask} />
        </>
      )}
      {hasEvents.value && (read.value || refusal.value) && <Past id={id} isAsked={isPastAsked} />}
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
function Past({ id, isAsked }: { id: string; isAsked: boolean }) {
  const isOpen = useSignal(isAsked);
  const summary = useRef<HTMLElement>(null);
  useLayoutEffect(() => void (isAsked && summary.current?.focus()), [isAsked]);
  return (
    <details
      class="past"
      open={isOpen.value}
      onToggle={({ currentTarget }) => (isOpen.value = (currentTarget as HTMLDetailsElement).open)}
    >
      <summary ref={summary}>History</summary>
      {isOpen.value && <History id={id} />}
    </details>
  );
}
