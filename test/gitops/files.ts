import { Glob } from 'bun';
import { dirname, join, normalize } from 'node:path';

/** Files that are an end in themselves: for people, commands, applied by hand. */
const ENTRIES =
  /(^|\/)([A-Z]+\.md|kustomization\.yaml|[\w-]+\.ts)$|^bootstrap\/[^/]+\.yaml$|^observability\/rules-tests\//;

/** Files of the tree that are no YAML, and why. */
export async function unreadableFiles(tree: string): Promise<{ file: string; reason: string }[]> {
  const files = await Array.fromAsync(new Glob('**/*.yaml').scan({ cwd: tree }));
  const found = await Promise.all(
    files.toSorted().map(async (file) => {
      const text = await Bun.file(join(tree, file)).text();
      try {
        Bun.YAML.parse(text);
        return [];
      } catch (error) {
        return [{ file, reason: error instanceof Error ? error.message : String(error) }];
      }
    }),
  );
  return found.flat();
}

/**
 * Files of the tree that nothing there names. To take an object away by its line in a list and leave its file would look like
 * it were still there; a list that lost a line by mistake renders as well.
 */
export async function unusedFiles(tree: string): Promise<string[]> {
  const files = await Array.fromAsync(new Glob('**/*').scan({ cwd: tree }));
  const used = new Set<string>();
  for (const file of files.filter((path) => path.endsWith('.yaml'))) {
    const content = Bun.YAML.parse(await Bun.file(join(tree, file)).text());
    for (const text of stringsIn(content)) {
      // `key=path` of a generator; `$values/gitops/…` of an Application, from the repository's root on.
      const path = text.slice(text.indexOf('=') + 1);
      used.add(
        path.startsWith('$values/gitops/')
          ? path.slice('$values/gitops/'.length)
          : normalize(join(dirname(file), path)),
      );
    }
  }
  return files.filter((file) => !ENTRIES.test(file) && !used.has(file)).toSorted();
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.split('\n').length > 1 ? embedded(value) : [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}

/** A patch written in a kustomization is YAML in YAML. */
const embedded = (text: string) => [...text.matchAll(/\$values\/[\w./-]+/g)].map(([path]) => path);
