import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './cluster.ts';

/** A copy of the manifests of `gitops/base/dapr` in which nobody subscribes in bulk. @returns its folder, which is the caller's */
export async function singleDeliveries(): Promise<string> {
  const folder = await temporaryFolder();
  await cp(join(import.meta.dir, '../../gitops/base/dapr'), folder, { recursive: true });
  const file = join(folder, 'subscriptions.yaml');
  await Bun.write(file, (await Bun.file(file).text()).replaceAll(/^ +bulkSubscribe: .*\n/gm, ''));
  return folder;
}
