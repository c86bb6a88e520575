import type * as api from '../api.ts';
import type { PageTask, TaskInput } from '../api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { zone } from '../session.ts';
import { fullTime } from '../words.ts';

/** One date of a series may change alone, or with those to come. */
export function AskScope({ save, leave }: { save: (scope: api.Scope) => Promise<void>; leave: () => void }) {
  const byKey = ({ key }: KeyboardEvent) => {
    if (key === '1') void save('this');
    if (key === '2') void save('series');
  };
  return (
    <Dialog label="Which dates?" close={leave} onKey={byKey}>
      <h2>Change which dates?</h2>
      <div class="choices">
        <button class="plain" onClick={() => void save('this')}>
          <kbd>1</kbd> Only this one
        </button>
        <button class="plain" onClick={() => void save('series')}>
          <kbd>2</kbd> All open ones from now on
        </button>
      </div>
    </Dialog>
  );
}

/** Somebody was faster: both are shown, and one is chosen. */
export function Conflict({
  mine,
  theirs,
  keep,
  take,
  leave,
}: {
  mine: TaskInput;
  theirs: PageTask;
  keep: () => void;
  take: () => void;
  leave: () => void;
}) {
  return (
    <Dialog label="Changed elsewhere" close={leave}>
      <h2>Changed elsewhere at {fullTime(theirs.updated_at, zone.value)}</h2>
      <table class="both">
        <thead>
          <tr>
            <th scope="col">
              <span class="for-ears">Field</span>
            </th>
            <th scope="col">Yours</th>
            <th scope="col">There now</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(mine).map(([field, value]) => (
            <tr key={field}>
              <th scope="row">{field.replaceAll('_', ' ')}</th>
              <td>{String(value ?? 'none')}</td>
              <td>{String(theirs[field as keyof PageTask] ?? 'none')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="choices">
        <button class="primary" onClick={keep}>
          Keep mine
        </button>
        <button class="plain" onClick={take}>
          Take what is there
        </button>
      </div>
    </Dialog>
  );
}
