import { Glob } from 'bun';
import { join } from 'node:path';

/** One YAML document below `gitops/`, read without the stand-in's eyes. */
export type Manifest = {
  /** From `gitops/` on. */
  file: string;
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  /** Of a Subscription: the apps that load it. */
  scopes?: string[];
  spec?: object;
};

const gitops = join(import.meta.dir, '../../gitops');
const files = [...new Glob('**/*.{yaml,yml}').scanSync(gitops)].toSorted();

/** All there are. */
export const manifests = (
  await Promise.all(files.map(async (file) => parseManifests(file, await Bun.file(join(gitops, file)).text())))
).flat();

export function parseManifests(file: string, text: string): Manifest[] {
  const documents = [Bun.YAML.parse(text)].flat();
  return documents.filter((document) => document !== null).map((document) => ({ ...(document as Manifest), file }));
}
