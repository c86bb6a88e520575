import { useSignal } from '@preact/signals';
import { useLocation } from 'preact-iso';
import { useEffect } from 'preact/hooks';
import { useAttempt } from '../account/door.tsx';
import { type AuditEvent, me } from '../api.ts';
import { Heading } from '../parts/heading.tsx';
import { asking } from '../parts/asking.ts';
import { Refusal } from '../parts/refusal.tsx';
import { zone } from '../session.ts';
import { count } from '../words.ts';
import { Entry } from './entry.tsx';
import { type Filters, filtersOf, hrefOf, type Page, pathOf, readPage, types } from './trail.ts';

/** Who changed what of whose: all that was ever written down, for admins. */
export default function AuditScreen() {
  const { query } = useLocation();
  const filters = filtersOf(query);
  const asked = pathOf(filters, zone.value);
  return <Found key={asked} asked={asked} filters={filters} />;
}

/** What one question finds; the next has its own, and nothing of this one. */
function Found({ asked, filters }: { asked: string; filters: Filters }) {
  const events = useSignal<AuditEvent[] | null>(null);
  const next = useSignal<string | null>(null);
  /** Why the first page was not read. */
  const unread = useSignal<string | null>(null);
  const { attempt, refusal, isBusy } = useAttempt();

  useEffect(() => {
    const take = (page: Page) => void ([events.value, next.value, unread.value] = [page.events, page.next, null]);
    return asking(
      () => readPage(asked),
      take,
      ({ message }) => (unread.value = message),
    );
  }, []);
  const further = () =>
    void attempt(async () => {
      const page = await readPage(next.value ?? '');
      events.value = [...(events.value ?? []), ...page.events];
      next.value = page.next;
    });

  return (
    <>
      <Heading name="Audit">
        {events.value ? count(events.value.length, 'event') + (next.value ? ' and more' : '') : ''}
      </Heading>
      {filters.history ? (
        <p class="above">
          All that happened to one task, oldest first. <a href="/audit">All events</a>
        </p>
      ) : (
        <FilterForm filters={filters} />
      )}
      <p class="choices above">
        <Download path={asked} />
      </p>
      <Refusal>{unread.value ?? refusal}</Refusal>
      {!unread.value && events.value === null && <p class="hint">Reading …</p>}
      {events.value?.length === 0 && (
        <div class="empty">
          <p>
            {hrefOf(filters) === '/audit'
              ? 'Nothing is written down yet. Every change of a task comes here, and every reminder.'
              : 'Nothing that is written down is so.'}
          </p>
        </div>
      )}
      <ol class="trail">
        {events.value?.map((event) => (
          <Entry key={event.event_id} event={event} filters={filters} />
        ))}
      </ol>
      {next.value && (
        <button class="plain" disabled={isBusy} onClick={further}>
          Further events
        </button>
      )}
    </>
  );
}

function FilterForm({ filters }: { filters: Filters }) {
  const { route } = useLocation();
  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    route(hrefOf(filtersOf(Object.fromEntries([...given].map(([name, value]) => [name, String(value)])))));
  }
  return (
    <form class="fields trail-filters" role="search" aria-label="Events" onSubmit={submit}>
      <label class="is-wide">
        What happened
        <select name="type" defaultValue={filters.type}>
          <option value="">anything</option>
          {types.map((type) => (
            <option key={type} value={type} selected={type === filters.type}>
              {type}
            </option>
          ))}
        </select>
      </label>
      <label>
        From
        <input type="date" name="from" defaultValue={filters.from} />
      </label>
      <label>
        To
        <input type="date" name="to" defaultValue={filters.to} />
      </label>
      <label class="is-wide">
        Owner, by id
        <input name="user" defaultValue={filters.user} autocomplete="off" spellcheck={false} />
      </label>
      <label class="is-wide">
        Request, by correlation id
        <input name="request" defaultValue={filters.request} autocomplete="off" spellcheck={false} />
      </label>
      <div class="choices">
        <button class="primary">Search</button>
        {hrefOf(filters) !== '/audit' && (
          <a class="plain" href="/audit">
            Clear
          </a>
        )}
      </div>
    </form>
  );
}

/** All that is found, not only what is shown, as the API streams it: into a file, not into this tab. */
function Download({ path }: { path: string }) {
  const { attempt, refusal, isBusy } = useAttempt();
  const begin = () =>
    void attempt(async () => {
      await me(); // a link cannot refresh a session that has run out
      const link = document.createElement('a');
      link.href = `/api/v1${path}${path.endsWith('?') ? '' : '&'}format=ndjson`;
      link.download = 'taskflow-audit.ndjson';
      link.click();
    });
  return (
    <>
      <button class="plain small" disabled={isBusy} onClick={begin}>
        Download all of it
      </button>
      <span class="hint small-text">{refusal ?? 'NDJSON: one event a line, with all its values.'}</span>
    </>
  );
}
