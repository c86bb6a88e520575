import { useLocation } from 'preact-iso';
import { useLayoutEffect, useMemo } from 'preact/hooks';
import { asTask, type TaskInput } from '../api.ts';
import { changes } from '../state.ts';
import { begun, NEW } from './begun.ts';
import { Beside } from './beside.tsx';
import { Form } from './form.tsx';
import { taskHref } from './link.tsx';
import { isUnsaved } from './unsaved.ts';

type NewTaskProps = { close: () => void; isLeft: boolean; stay: () => void };

/** The form of a task that is not made yet. It closes as the task is added, and is back with the reason when that is refused. */
export function NewTask({ close, isLeft, stay }: NewTaskProps) {
  const { route } = useLocation();
  const read = useMemo(() => ({ task: asTask({ id: NEW, title: '' }), etag: '' }), []);
  useLayoutEffect(() => () => void (begun.value = { input: {} }), []);
  function make(input: TaskInput): void {
    isUnsaved.value = false;
    if (!isLeft) close();
    changes.create({ title: '', ...input }, (refusal) => {
      if (isUnsaved.value) return false; // another one is being written
      begun.value = { input, refusal };
      route(taskHref(NEW));
      return true;
    });
  }
  return (
    <Beside label="New task" kind="New task" close={close}>
      <Form read={read} again={async () => null} isLeft={isLeft} stay={stay} begun={begun.value} make={make} />
    </Beside>
  );
}
