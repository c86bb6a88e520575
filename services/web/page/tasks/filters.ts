import type { PageTask } from '../api.ts';
import { allOf, byDue, type Group, isAfter, isLate, isOpen, isSeries, type Moment } from './views.ts';
import { dayOf, endOf } from '../days.ts';

/** What the list of all may be narrowed to, and its order: each by its name in the address. What is not said there comes first. */
export const filters = {
  show: { label: 'Show', values: { '': 'open', done: 'done', all: 'open and done' } },
  due: {
    label: 'Due',
    values: { '': 'any time', overdue: 'overdue', today: 'today', upcoming: 'after today', never: 'some day' },
  },
  kind: { label: 'Kind', values: { '': 'all', task: 'single tasks', date: 'dates of series' } },
  priority: {
    label: 'Priority',
    values: { '': 'any', urgent: 'urgent', high: 'high', medium: 'medium', low: 'low', none: 'none' },
  },
  sort: {
    label: 'Sort by',
    values: { '': 'due date', created: 'newest', updated: 'last changed', priority: 'priority', title: 'title' },
  },
} as const;

export type FilterName = keyof typeof filters;
export type Filters = Record<FilterName, string>;

export const filterNames = Object.keys(filters) as FilterName[];

/** As an address has them; what it says that there is not is left out. */
export function filtersOf(query: Record<string, string>): Filters {
  const valueOf = (name: FilterName) => {
    const value = query[name] ?? '';
    return Object.hasOwn(filters[name].values, value) ? value : '';
  };
  return Object.fromEntries(filterNames.map((name) => [name, valueOf(name)])) as Filters;
}

const URGENCY = ['urgent', 'high', 'medium', 'low', null];

const latest = (field: 'created_at' | 'updated_at') => (a: PageTask, b: PageTask) =>
  Date.parse(b[field]) - Date.parse(a[field]);

const orders: Record<string, (a: PageTask, b: PageTask) => number> = {
  created: latest('created_at'),
  updated: latest('updated_at'),
  priority: (a, b) => URGENCY.indexOf(a.priority) - URGENCY.indexOf(b.priority) || byDue(a, b),
  title: (a, b) => a.title.localeCompare(b.title),
};

/** The tasks that pass, in the order asked for: by due date in two groups, else in one. */
export function filtered(tasks: Iterable<PageTask>, given: Filters, moment: Moment): Group[] {
  const passing = [...tasks].filter((task) => !isSeries(task) && passes(task, given, moment));
  const order = orders[given.sort];
  if (!order) return allOf(passing);
  return passing.length > 0 ? [{ name: 'Tasks', tasks: passing.sort(order) }] : [];
}

function passes(task: PageTask, { show, due, kind, priority }: Filters, moment: Moment): boolean {
  return (
    (show === 'all' || isOpen(task) === (show === '')) &&
    (kind === '' || (task.parent_recurring_task_id !== null) === (kind === 'date')) &&
    (priority === '' || (task.priority ?? 'none') === priority) &&
    (due === '' || dueClass(task, moment) === due)
  );
}

function dueClass(task: PageTask, { now, zone }: Moment): string {
  const today = dayOf(now, zone);
  if (task.due_date === null) return 'never';
  if (isLate(task, today, now)) return 'overdue';
  return isAfter(task, today, endOf(today, zone)) ? 'upcoming' : 'today';
}
