import type postgres from 'postgres';

/** As often as daprd commits to Kafka. */
const SAVE_MS = 1000;

/** One partition as one app reads it. */
export type Position = { app_id: string; topic: string; partition: number };
export type Reader = { appId: string; topic: string; initialOffset: 'oldest' | 'newest' };

type Kept = Position & { next: number; saved: number };

/**
 * Where each reader stands. Moved in memory and saved once a second: after a crash the last events come again, which the
 * consumers must bear anyway. A new reader starts at 0, or with `newest` at `endOf` its partition.
 */
export async function openOffsets(
  sql: postgres.Sql,
  readers: Reader[],
  partitions: number,
  endOf: (topic: string, partition: number) => number,
) {
  const kept = new Map<string, Kept>();
  const rows = await sql<(Position & { next: number })[]>`
    select app_id, topic, partition, next_offset::float8 as next from sidecar.offsets`;
  const saved = new Map(rows.map((row) => [nameOf(row), row.next]));
  for (const { appId, topic, initialOffset } of readers)
    for (let partition = 0; partition < partitions; partition++) {
      const position = { app_id: appId, topic, partition };
      const next = saved.get(nameOf(position)) ?? (initialOffset === 'newest' ? endOf(topic, partition) : 0);
      // -1: who never read anything is written down too, so that nothing before it is trimmed.
      kept.set(nameOf(position), { ...position, next, saved: saved.get(nameOf(position)) ?? -1 });
    }
  await save();

  let saving: Promise<void> | null = null;
  const saver = setInterval(() => {
    saving ??= save()
      .catch(() => {
        // The database is away: unsaved offsets wait for the next tick. Publishing reports the trouble.
      })
      .finally(() => (saving = null));
  }, SAVE_MS);

  async function save(): Promise<void> {
    const moved = [...kept.values()].filter(({ next, saved }) => next !== saved);
    if (!moved.length) return;
    const nexts = moved.map(({ next }) => next);
    await sql`
      insert into sidecar.offsets (app_id, topic, partition, next_offset)
      select * from unnest(${moved.map(({ app_id }) => app_id)}::text[], ${moved.map(({ topic }) => topic)}::text[],
        ${moved.map(({ partition }) => partition)}::int[], ${nexts}::bigint[])
      on conflict (app_id, topic, partition) do update set next_offset = excluded.next_offset`;
    for (const [i, position] of moved.entries()) position.saved = nexts[i] ?? position.saved;
  }

  function find(position: Position): Kept {
    const found = kept.get(nameOf(position));
    if (!found) throw new Error(`${nameOf(position)} is not read`);
    return found;
  }

  return {
    next: (position: Position): number => find(position).next,
    /** The app is done with everything before `next`. */
    commit(position: Position, next: number): void {
      find(position).next = next;
    },
    all: (): (Position & { next: number })[] => [...kept.values()],
    async close({ crash }: { crash: boolean }): Promise<void> {
      clearInterval(saver);
      await saving;
      if (!crash) await save();
    },
  };
}

/** `app/topic/partition`: the name of a position in maps and messages. */
export const nameOf = ({ app_id, topic, partition }: Position): string => `${app_id}/${topic}/${partition}`;
