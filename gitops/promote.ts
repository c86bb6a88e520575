import { join } from 'node:path';

// bun gitops/promote.ts <app-id> sha256:…: which image of a service a cloud runs. What a release commits.

const file = join(import.meta.dir, 'images/cloud/kustomization.yaml');

/** The file of images with this digest for a service, in place of the tag or digest that it had. @throws for no such service */
export function withDigest(text: string, appId: string, digest: string): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`${digest} is no digest`);
  const changed = text.replace(
    new RegExp(`^(  - name: taskflow/${appId}\\n    newName: \\S+\\n    )(?:newTag|digest): .*$`, 'm'),
    `$1digest: ${digest}`,
  );
  if (!changed.includes(`/${appId}\n    digest: ${digest}`)) throw new Error(`there is no image of ${appId}`);
  return changed;
}

if (import.meta.main) {
  const [appId = '', digest = ''] = process.argv.slice(2);
  await Bun.write(file, withDigest(await Bun.file(file).text(), appId, digest));
}
