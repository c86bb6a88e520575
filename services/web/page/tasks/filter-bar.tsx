import { useLocation } from 'preact-iso';
import { hrefWith } from '../address.ts';
import { filterNames, filters, type Filters } from './filters.ts';

/** The filters of a list. They are parts of the address: to go back is to have them as they were. */
export function FilterBar({ given }: { given: Filters }) {
  const { route } = useLocation();
  const none = Object.fromEntries(filterNames.map((name) => [name, null]));
  return (
    <form class="filters" role="search" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      {filterNames.map((name) => (
        <span key={name} class={`filter${given[name] === '' ? '' : ' is-set'}`}>
          <label for={`filter-${name}`}>{filters[name].label}</label>
          <select
            id={`filter-${name}`}
            value={given[name]}
            onChange={({ currentTarget: { value } }) => route(hrefWith({ [name]: value || null }))}
          >
            {Object.entries(filters[name].values).map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </span>
      ))}
      {filterNames.some((name) => given[name] !== '') && (
        <button type="button" class="plain small" onClick={() => route(hrefWith(none))}>
          Clear filters
        </button>
      )}
    </form>
  );
}
