import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import * as api from '../api.ts';
import type { PageTask, TaskInput } from '../api.ts';
import { labels } from '../fields.ts';
import { asking } from '../parts/asking.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { zone } from '../session.ts';
import { fullTime } from '../words.ts';
import { whoOf } from './history.tsx';
import { shown } from './shown.ts';

/** One date of a series may change alone, or with those to come. */
export function AskScope({ save, leave }: { save: (scope: api.Scope) => Promise<void>; leave: () => void }) {
  const byKey = (event: KeyboardEvent) => {
    const scope = ({ 1: 'this', 2: 'series' } as const)[event.key];
    if (!scope) return;
    event.preventDefault(); // it would be typed where the focus goes back to
    void save(scope);
  };
  return (
    <Dialog label="Which dates?" close={leave} onKey={byKey}>
      <h2>Change which dates?</h2>
      <div class="choices">
        <button class="plain" onClick={() => void save('this')}>
          <kbd>1</kbd> Only this one
        </button>
        <button class="plain" onClick={() => void save('series')}>
          <kbd>2</kbd> All open dates
        </button>
        <button class="plain" onClick={leave}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}

type LeaveProps = { title: string; refusal: string | null; save: () => void; drop: () => void; stay: () => void };

/** What was typed is never lost by going elsewhere. */
export function AskLeave({ title, refusal, save, drop, stay }: LeaveProps) {
  return (
    <Dialog label="Not saved yet" close={stay}>
      <h2>“{title}” is not saved yet</h2>
      <Refusal>{refusal}</Refusal>
      <div class="choices">
        <button class="primary" onClick={save}>
          Save
        </button>
        <button class="plain" onClick={drop}>
          Discard
        </button>
        <button class="plain" onClick={stay}>
          Keep editing
        </button>
      </div>
    </Dialog>
  );
}

/** Somebody was faster: both are shown, and one is chosen. */
export function Conflict({
  mine,
  theirs,
  fields,
  keep,
  take,
  leave,
}: {
  mine: TaskInput;
  /** Those that both have changed. */
  fields: (keyof TaskInput)[];
  theirs: PageTask;
  keep: () => void;
  take: () => void;
  leave: () => void;
}) {
  const who = useSignal('');
  useEffect(() => {
    function name(events: api.AuditEvent[]): void {
      const last = events.findLast(({ payload }) => payload.task?.updated_at === theirs.updated_at);
      if (last) who.value = whoOf(last);
    }
    const nobody = () => {}; // the trail may be away, or not know yet; what is to be chosen from is there without it
    return asking(() => api.history(theirs.id), name, nobody);
  }, []);
  return (
    <Dialog label="Changed elsewhere" close={leave}>
      <h2>Changed elsewhere at {fullTime(theirs.updated_at, zone.value)}</h2>
      {who.value && <p>{who.value} changed it.</p>}
      <table class="both">
        <thead>
          <tr>
            <th scope="col">
              <span class="for-ears">Field</span>
            </th>
            <th scope="col">Yours</th>
            <th scope="col">Theirs</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field}>
              <th scope="row">{labels.get(field) ?? field}</th>
              <td>{shown(field, mine[field])}</td>
              <td>{shown(field, theirs[field])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="choices">
        <button class="primary" onClick={keep}>
          Keep mine
        </button>
        <button class="plain" onClick={take}>
          Take theirs
        </button>
      </div>
    </Dialog>
  );
}
