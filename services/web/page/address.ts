/** The address that is shown, with parts of its query set, or taken away by null: filters stay when a task is opened. */
export function hrefWith(parts: Record<string, string | null>): string {
  const { pathname, search } = location;
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(parts)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return text === '' ? pathname : `${pathname}?${text}`;
}
