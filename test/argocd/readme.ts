import { join } from 'node:path';

const file = join(import.meta.dir, '../../gitops/README.md');

/** A block of commands below a heading of gitops/README.md, as a person copies it. @throws when there is none */
export async function blockOf(heading: string, index: number): Promise<string> {
  const [, section = ''] = (await Bun.file(file).text()).split(new RegExp(`^#+ ${heading}$`, 'm'));
  const own = section.split(/^#+ /m)[0] ?? '';
  const block = [...own.matchAll(/```sh\n([\s\S]*?)```/g)][index]?.[1];
  if (block === undefined) throw new Error(`gitops/README.md has no block ${index + 1} below ${heading}`);
  return block;
}
