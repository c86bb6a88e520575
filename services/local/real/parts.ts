import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, cacheFolder, sweepAbandoned } from '../machine/cache.ts';
import { archiveClasses, CLASSES, formatData, type KafkaFiles, type KafkaParts } from './kafka.ts';
import { orExit, requireTools, runTool } from './tools.ts';

/** Where the real parts lie, built and ready to start. */
export type Parts = { daprd: string; sentry: string; kafka: KafkaParts };

const source = (name: string) => join(import.meta.dir, name);
const daprSources = ['daprd/main.go', 'daprd/sentry/main.go', 'daprd/go.mod', 'daprd/go.sum'].map(source);
const kafkaSources = ['kafka/pom.xml', 'kafka/server.properties'].map(source);

/**
 * Builds Dapr's daprd and sentry and gathers Kafka's jars in a cache outside the repository, each keyed by what it is made of:
 * some minutes at the first call, milliseconds later. `say` hears of the progress.
 * @throws {Refusal} when Go, Java or Maven is missing or too old
 */
export async function realParts(say: (line: string) => void): Promise<Parts> {
  const { java } = requireTools(source('daprd'));
  const cache = cacheFolder();
  await sweepAbandoned(cache, Date.now());
  const [dapr, kafka] = await Promise.all([daprParts(cache, say), kafkaParts(cache, java, say)]);
  return { daprd: join(dapr, 'daprd'), sentry: join(dapr, 'sentry'), kafka };
}

/** For a command: a refusal ends it. */
export const realPartsOrExit = (say: (line: string) => void): Promise<Parts> => orExit(realParts(say));

/** daprd/go.mod says which Dapr: 1.18.3 and 1.18.4 cannot be built from the module proxy. */
async function daprParts(cache: string, say: (line: string) => void): Promise<string> {
  const cwd = source('daprd');
  const [, version] = /dapr\/dapr v(\S+)/.exec(await Bun.file(join(cwd, 'go.mod')).text()) ?? [];
  const settings = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' };
  const flags = ['-trimpath', '-ldflags', `-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=${version}`];
  const also = JSON.stringify([settings, flags]);
  return cached(cache, 'dapr', { sources: daprSources, also }, (folder) =>
    runTool('Dapr', ['go', 'build', '-v', ...flags, '-o', folder, '.', './sentry'], {
      cwd,
      env: { ...process.env, ...settings },
      say,
      unit: 'of about 1800 modules and packages',
    }),
  );
}

async function kafkaParts(cache: string, java: string, say: (line: string) => void): Promise<KafkaParts> {
  const sources = kafkaSources;
  const folder = await cached(cache, 'kafka', { sources }, (building) => gatherKafka(kafkaFiles(building), say));
  const files = kafkaFiles(folder);
  // An archive holds for jars at one path alone: it can be written only when they lie where they stay. And for one Java alone:
  // any other ignores it without a word.
  const key = { sources, also: java };
  const classes = await cached(cache, 'kafka-classes', key, (building) => archiveClasses(files, building));
  return { ...files, classes: join(classes, CLASSES) };
}

async function gatherKafka(files: KafkaFiles, say: (line: string) => void): Promise<void> {
  const into = [`-DoutputDirectory=${files.jars}`, '-DincludeScope=runtime'];
  const command = ['mvn', '-B', '-f', source('kafka/pom.xml'), 'dependency:copy-dependencies', ...into];
  await runTool('Kafka', command, { say, unit: 'steps' });
  await cp(source('kafka/server.properties'), files.settings);
  await formatData(files);
}

function kafkaFiles(folder: string): KafkaFiles {
  return { jars: join(folder, 'jars'), settings: join(folder, 'server.properties'), data: join(folder, 'data') };
}
