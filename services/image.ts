import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { bundle } from './bundle.ts';

// bun services/image.ts <app-id> <archive.tar> [--name NAME:TAG] [--commit SHA]: an image without an engine, for
// `minikube image load`, `ctr image import` and the tests. services/Dockerfile is what a release is built by.

/** What runs in the container, as the last stage of services/Dockerfile says. */
export const settings = (commit: string) => ({
  Entrypoint: ['/usr/local/bin/bun'],
  Cmd: ['/app/main.js'],
  User: '65532:65532',
  WorkingDir: '/app',
  Env: [`VERSION_COMMIT=${commit}`, 'PATH=/usr/local/bin:/usr/bin:/bin'],
});

type Blob = { mediaType: string; digest: string; size: number };

/**
 * Writes an OCI layout in a tar, readable by Docker too: this machine's Bun with the libraries that it links in place of the
 * base, and above that the layer of services/Dockerfile. The same sources give the same bytes. Linux with GNU tar.
 */
export async function writeImage(
  appId: string,
  archive: string,
  { name, commit = 'unknown' }: { name?: string | undefined; commit?: string | undefined } = {},
): Promise<{ digest: string; appLayer: string }> {
  const called = name ?? (await nameOnMinikube(appId));
  const work = await mkdtemp(join(tmpdir(), 'taskflow-image-'));
  try {
    const layout = join(work, 'layout');
    await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
    const base = await layer(layout, await runtime(join(work, 'base')));
    await bundle(appId, join(work, 'own/app'));
    const app = await layer(layout, join(work, 'own'));
    const config = await json(layout, 'application/vnd.oci.image.config.v1+json', {
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: settings(commit),
      rootfs: { type: 'layers', diff_ids: [base.digest, app.digest] },
    });
    const layers = [base, app];
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = await json(layout, mediaType, { schemaVersion: 2, mediaType, config, layers });
    const annotations = {
      'io.containerd.image.name': called,
      'org.opencontainers.image.ref.name': called.split(':').at(-1),
    };
    await Bun.write(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await Bun.write(
      join(layout, 'index.json'),
      JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
    );
    const docker = { Config: pathOf(config), RepoTags: [called], Layers: layers.map(pathOf) };
    await Bun.write(join(layout, 'manifest.json'), JSON.stringify([docker]));
    await tar(layout, resolve(archive));
    return { digest: manifest.digest, appLayer: pathOf(app) };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** As the overlay for Minikube asks for it. */
async function nameOnMinikube(appId: string): Promise<string> {
  const file = Bun.file(join(import.meta.dir, '../gitops/images/minikube/kustomization.yaml'));
  const { images } = Bun.YAML.parse(await file.text()) as {
    images: { name: string; newName: string; newTag: string }[];
  };
  const image = images.find(({ name }) => name === `taskflow/${appId}`);
  if (!image) throw new Error(`there is no image of ${appId}`);
  return `${image.newName}:${image.newTag}`;
}

/** Bun and what it links, where they are found here. */
async function runtime(folder: string): Promise<string> {
  const bun = join(folder, 'usr/local/bin/bun');
  await Bun.write(bun, Bun.file(process.execPath));
  await run(['chmod', '755', bun]);
  const linked = await run(['ldd', process.execPath]);
  for (const [path] of linked.matchAll(/\/\S+\.so\S*/g)) {
    await Bun.write(join(folder, path), Bun.file(path));
    await run(['chmod', '755', join(folder, path)]);
  }
  await mkdir(join(folder, 'tmp'), { recursive: true });
  return folder;
}

async function layer(layout: string, folder: string): Promise<Blob> {
  const plain = join(layout, `${basename(folder)}.tar`);
  await tar(folder, plain);
  const mediaType = 'application/vnd.oci.image.layer.v1.tar';
  const blob = { mediaType, digest: await digestOf(plain), size: Bun.file(plain).size };
  await rename(plain, join(layout, pathOf(blob)));
  return blob;
}

async function json(layout: string, mediaType: string, value: object): Promise<Blob> {
  const text = JSON.stringify(value);
  const blob = { mediaType, digest: `sha256:${Bun.SHA256.hash(text, 'hex')}`, size: Buffer.byteLength(text) };
  await Bun.write(join(layout, pathOf(blob)), text);
  return blob;
}

const pathOf = ({ digest }: Pick<Blob, 'digest'>): string => `blobs/${digest.replace(':', '/')}`;

async function digestOf(file: string): Promise<string> {
  const hasher = new Bun.CryptoHasher('sha256');
  for await (const chunk of Bun.file(file).stream()) hasher.update(chunk);
  return `sha256:${hasher.digest('hex')}`;
}

/** Without what differs from one run to the next: order, times, owners. */
async function tar(folder: string, archive: string): Promise<void> {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u+rwX,go+rX,go-w'];
  await run(['tar', ...same, '-cf', archive, '-C', folder, ...(await readdir(folder)).toSorted()]);
}

async function run(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [out, exitCode] = await Promise.all([child.stdout.text(), child.exited]);
  if (exitCode !== 0) throw new Error(`${command[0]} ended with ${exitCode}`);
  return out;
}

if (import.meta.main) {
  const { parseArgs } = await import('node:util');
  const options = { name: { type: 'string' }, commit: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [appId, archive] = positionals;
  if (!appId || !archive) {
    console.error('usage: bun services/image.ts <app-id> <archive.tar> [--name NAME:TAG] [--commit SHA]');
    process.exit(2);
  }
  const { digest } = await writeImage(appId, archive, values);
  console.log(`${archive}: ${digest}`);
}
