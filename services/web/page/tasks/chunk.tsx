import { Component } from 'preact';
import type { PageTask } from '../api.ts';
import { store } from '../state.ts';
import { Row, type RowProps } from './row.tsx';
import type { Selection } from './selection.ts';

/** Rows of one chunk, on average. */
const ROWS = 40;

type ChunkProps = { tasks: PageTask[]; current: string | null; selection: Selection } & Pick<
  RowProps,
  'now' | 'zone' | 'on' | 'isOfDone'
>;

/** Rows that are laid out together, or not at all while they are out of sight; drawn again only when one has changed. */
export class Chunk extends Component<ChunkProps> {
  override shouldComponentUpdate({ tasks, ...next }: ChunkProps): boolean {
    const before = this.props;
    const isSame = (Object.keys(next) as (keyof typeof next)[]).every((name) => next[name] === before[name]);
    return !isSame || tasks.length !== before.tasks.length || tasks.some((task, i) => task !== before.tasks[i]);
  }

  override render({ tasks, current, selection, ...common }: ChunkProps) {
    return (
      <ul class="chunk" style={{ '--rows': tasks.length }}>
        {tasks.map((task) => (
          <Row
            key={task.id}
            task={task}
            isCurrent={task.id === current}
            isPending={store.isPending(task.id)}
            isPicking={selection.size > 0}
            isPicked={selection.has(task.id)}
            {...common}
          />
        ))}
      </ul>
    );
  }
}

/**
 * Cuts a list behind tasks whose own id says so: what comes or goes changes the chunk that it is in and no other, as it
 * would if each had the same number of rows.
 */
export function chunked(tasks: PageTask[]): { key: string; tasks: PageTask[] }[] {
  const chunks: { key: string; tasks: PageTask[] }[] = [];
  let from = 0;
  tasks.forEach(({ id }, i) => {
    const isEnd = Number.parseInt(id.slice(-4), 16) % ROWS === 0;
    if (!isEnd && i < tasks.length - 1) return;
    chunks.push({ key: isEnd ? id : 'last', tasks: tasks.slice(from, i + 1) });
    from = i + 1;
  });
  return chunks;
}
