import { describe, expect, test } from 'bun:test';
import { $ } from 'bun';
import { join } from 'node:path';
import { readScript } from '../support/k6/script.ts';
import { commandsOf as typed } from '../argocd/readme.ts';
import { commandsOf, sizes as small } from './commands.ts';
import { sizes } from './cases.ts';

const folder = join(import.meta.dir, '../../k6');
const files = (await $`git ls-files -co --exclude-standard -- '*.ts'`.cwd(folder).text()).trim().split('\n').sort();
const text = (file: string) => Bun.file(join(folder, file)).text();
const texts = await Promise.all(files.map(text));
/** Those that export options. */
const scripts = files
  .filter((_, i) => /^export const options/m.test(texts[i] ?? ''))
  .map((file) => file.replace('.ts', ''));

describe('each script of k6/', () => {
  test('is run at small size, by the fake and by the services, and stands in README.md with its thresholds', async () => {
    const page = await text('README.md');
    expect(Object.keys(sizes).sort()).toEqual(scripts);
    expect(Object.keys(small).sort()).toEqual(scripts);
    const commands = await commandsOf('k6/README.md');
    expect(
      scripts.filter((script) => !commands.some((command) => command.startsWith(`k6 run k6/${script}.ts`))),
    ).toEqual([]);
    expect(scripts.filter((script) => !new RegExp(`^\\| .*\`${script}\\.ts\``, 'm').test(page))).toEqual([]);
  });

  test.each(scripts)('%s.ts can be read', async (script) => {
    await readScript(join(folder, `${script}.ts`));
  });

  test('names the metrics that others own in one place', () => {
    const naming = files.filter((_, i) => /streams_open|process_resident/.test(texts[i] ?? ''));
    expect(naming).toEqual(['metrics.ts']);
  });
});

describe('k6/kustomization.yaml', () => {
  test('puts every file of the scripts into the ConfigMap that the Job mounts', async () => {
    const { configMapGenerator, resources } = Bun.YAML.parse(await text('kustomization.yaml')) as {
      configMapGenerator: [{ name: string; files: string[] }];
      resources: string[];
    };
    expect(configMapGenerator[0].files).toEqual(files);
    const job = await text(resources[0] ?? '');
    expect(job).toContain(`name: ${configMapGenerator[0].name}`);
    const [, script = ''] = /name: SCRIPT\n +value: (\w+)/.exec(job) ?? [];
    expect(scripts).toContain(script);
  });

  test('reads the metrics at a port that the Service has', async () => {
    const [, port = '80'] =
      /http:\/\/notification-service\.taskflow(?::(\d+))?\/metrics/.exec(await text('job.yaml')) ?? [];
    const { spec } = Bun.YAML.parse(await text('../gitops/base/notification-service/service.yaml')) as {
      spec: { ports: { port: number }[] };
    };
    expect(spec.ports.map((each) => String(each.port))).toContain(port);
  });

  test('is off: nothing in gitops refers to it', async () => {
    const { stdout } = await $`git grep -l 'k6/' -- gitops`.cwd(join(folder, '..')).nothrow().quiet();
    expect(stdout.toString()).toBe('');
  });
});

test('whoever copies a command of README.md finds what it names, whatever namespace is theirs', async () => {
  const kubectl = typed(await text('README.md')).filter((command) =>
    /^kubectl .*(exec|port-forward|logs) /.test(command),
  );
  expect(kubectl.length).toBeGreaterThan(2);
  expect(kubectl.filter((command) => !/^kubectl -n taskflow/.test(command))).toEqual([]);
});
