import { cp, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { codeOf, Refusal } from '../../services/local/refusal.ts';
import { eachLine } from '../../services/local/stack.ts';
import { archiveClasses, formatData } from './kafka.ts';

/** Where the real parts lie, built and ready to start. */
export type Parts = { daprd: string; sentry: string; kafka: KafkaParts };
export type KafkaParts = {
  jars: string;
  settings: string;
  /** A formatted data folder without topics, to be copied: formatting one costs a JVM of 3 s. */
  data: string;
  /** The classes a broker loads, parsed and linked: it starts in half the time. */
  classes: string;
};

/** What daprd/go.mod requires: 1.18.3 and 1.18.4 cannot be built from the module proxy. */
const DAPR_VERSION = '1.18.2';
const daprSources = ['daprd/main.go', 'daprd/sentry/main.go', 'daprd/go.mod', 'daprd/go.sum'];
const PROGRESS_MS = 10_000;

const source = (name: string) => join(import.meta.dir, name);

/**
 * Builds Dapr's daprd and sentry and gathers Kafka's jars in a cache outside the repository, each keyed by its sources: five minutes and
 * more at the first call, milliseconds later. `say` hears of the progress.
 * @throws {Refusal} when Go, Java or Maven is missing
 */
export async function realParts(say: (line: string) => void): Promise<Parts> {
  const missing = ['go', 'java', 'mvn'].filter((tool) => !Bun.which(tool));
  if (missing.length > 0) {
    throw new Refusal(`The real parts need Go, Java 17 and Maven: install what is missing (${missing.join(', ')}).`);
  }
  const [dapr, kafka] = await Promise.all([
    cached('dapr', daprSources, (folder) => buildDapr(folder, say)),
    cached('kafka', ['kafka/pom.xml', 'kafka/server.properties'], (folder) => gatherKafka(kafkaParts(folder), say)),
  ]);
  return { daprd: join(dapr, 'daprd'), sentry: join(dapr, 'sentry'), kafka: kafkaParts(kafka) };
}

/** The folder of a part. It is made beside and renamed, so it is whole or absent, and two runs may race. */
async function cached(name: string, files: string[], make: (folder: string) => Promise<void>): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256').update(`${process.platform} ${process.arch}`);
  for (const file of files) hash.update(await Bun.file(source(file)).bytes());
  const folder = join(cacheFolder(), `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (await exists(folder)) return folder;

  await mkdir(dirname(folder), { recursive: true });
  const building = await mkdtemp(`${folder}.building-`);
  try {
    await make(building);
    await rename(building, folder);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    if (!(await exists(folder))) throw error; // otherwise another run was first
  }
  return folder;
}

function cacheFolder(): string {
  const { TASKFLOW_CACHE, XDG_CACHE_HOME } = process.env;
  return TASKFLOW_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'taskflow');
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function buildDapr(folder: string, say: (line: string) => void): Promise<void> {
  const cwd = source('daprd');
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' };
  const version = `-X github.com/dapr/dapr/pkg/buildinfo.version=${DAPR_VERSION}`;
  await run('Dapr', ['go', 'build', '-v', '-trimpath', '-ldflags', `-s -w ${version}`, '-o', folder, '.', './sentry'], {
    cwd,
    env,
    say,
    unit: 'of about 1800 modules and packages',
  });
}

async function gatherKafka(parts: KafkaParts, say: (line: string) => void): Promise<void> {
  const { jars, settings } = parts;
  const into = [`-DoutputDirectory=${jars}`, '-DincludeScope=runtime'];
  const command = ['mvn', '-B', '-f', source('kafka/pom.xml'), 'dependency:copy-dependencies', ...into];
  await run('Kafka', command, { say, unit: 'steps' });
  await cp(source('kafka/server.properties'), settings);
  await formatData(parts);
  await archiveClasses(parts);
}

function kafkaParts(folder: string): KafkaParts {
  return {
    jars: join(folder, 'jars'),
    settings: join(folder, 'server.properties'),
    data: join(folder, 'data'),
    classes: join(folder, 'classes.jsa'),
  };
}

type Running = { cwd?: string; env?: Record<string, string | undefined>; say: (line: string) => void; unit: string };

/** Runs a tool and tells every 10 s how many lines it has printed. Throws with the last of them when it fails. */
async function run(name: string, command: string[], { say, unit, ...options }: Running): Promise<void> {
  const from = performance.now();
  const seconds = () => `${Math.round((performance.now() - from) / 1000)} s`;
  const child = Bun.spawn(command, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const progress = setInterval(() => say(`${name}: ${lines.length} ${unit}, ${seconds()}`), PROGRESS_MS);
  try {
    const keep = (line: string) => void lines.push(line);
    await Promise.all([eachLine(child.stdout, keep), eachLine(child.stderr, keep)]);
    const exitCode = await child.exited;
    if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${exitCode}:\n${lines.slice(-20).join('\n')}`);
    say(`${name}: ${command.slice(0, 2).join(' ')} in ${seconds()}`);
  } finally {
    clearInterval(progress);
  }
}
