import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import * as api from '../api.ts';
import type { PageTask } from '../api.ts';
import { asking } from '../parts/asking.ts';
import { Refusal } from '../parts/refusal.tsx';
import { hasEvents } from '../session.ts';
import { readings, store } from '../state.ts';
import { Acts } from './acts.tsx';
import { NEW } from './begun.ts';
import { Beside } from './beside.tsx';
import { Form, type Read } from './form.tsx';
import { History } from './history.tsx';
import { NewTask } from './new-task.tsx';
import { isSeries } from './views.ts';

type OpenedProps = {
  id: string;
  /** The history is opened with it. */
  isPastAsked: boolean;
  close: () => void;
  /** The address names another task or none; what is not saved is asked about. */
  isLeft: boolean;
  stay: () => void;
};

/** The task that is named, or the form of a new one. */
export default function Opened(props: OpenedProps) {
  return props.id === NEW ? <NewTask {...props} /> : <Kept {...props} />;
}

/** A task with its form, what can be done to it and what happened to it. */
function Kept({ id, isPastAsked, close, isLeft, stay }: OpenedProps) {
  const read = useSignal<Read | null>(null);
  const refusal = useSignal<string | null>(null);
  const listed = store.tasks.value.get(id);
  /** Made in this tab, and nobody has answered yet. */
  const isBeingMade = listed !== undefined && store.get(id) === undefined;
  function take(now: Read): Read {
    read.value = now;
    refusal.value = null;
    store.apply(now.task);
    return now;
  }
  const refused = ({ status, message }: api.ApiError) =>
    void (refusal.value = status === 404 ? 'This task is not there any more.' : message);
  useEffect(() => {
    if (!isBeingMade) return asking(() => api.readForEdit(id), take, refused);
  }, [id, isBeingMade, listed?.updated_at, readings.value]);
  async function again(): Promise<Read | null> {
    try {
      return take(await api.readForEdit(id));
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      refused(error);
      return null;
    }
  }
  const task = listed ?? read.value?.task;
  const label = task?.title ?? 'Task';
  return (
    <Beside label={label} kind={task ? kindOf(task) : ''} close={close}>
      <Refusal>{refusal.value}</Refusal>
      {isBeingMade && <h2>{label}</h2>}
      {task && <Acts task={task} close={close} />}
      {!read.value && !refusal.value && (
        <p class="hint">
          {isBeingMade ? 'Not saved yet: it can be changed once the server has answered.' : 'Reading …'}
        </p>
      )}
      {read.value && <Form read={read.value} again={again} isLeft={isLeft} stay={stay} />}
      {hasEvents.value && (read.value || refusal.value) && <Past id={id} isAsked={isPastAsked} />}
    </Beside>
  );
}

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
