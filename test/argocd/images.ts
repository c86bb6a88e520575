import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '../../services/bundle.ts';

/** A tag that begins so has a migration which the present version does not know. */
const AHEAD = 'ahead';

/**
 * What images of chat-api hold in /app, those of now and those of a release to come, whose one migration more adds a table.
 * @returns the folder of a tag
 */
export async function writeImages(folder: string): Promise<(tag: string) => string> {
  const [now, ahead] = [join(folder, 'now'), join(folder, 'ahead')];
  await bundle('chat-api', now);
  await cp(now, ahead, { recursive: true });
  await Bun.write(join(ahead, 'migrations/9999_to_come.up.sql'), 'create table to_come (id bigint primary key);\n');
  return (tag) => (tag.startsWith(AHEAD) ? ahead : now);
}
