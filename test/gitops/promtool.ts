import { Glob } from 'bun';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Verdict } from './verdict.ts';

type RuleFile = { kind?: string; spec?: object; tests?: object[] };

/**
 * Lets Prometheus' own tool read every alert rule and run their unit tests. It knows files of groups, and the operator's
 * objects have these inside: they are laid out beside the tests as the tree has them, so `rule_files` means the same there.
 */
export async function checkRules(
  promtool: string,
  { tree, folder, verdict }: { tree: string; folder: string; verdict: Verdict },
): Promise<void> {
  const laidOut = join(folder, 'rules');
  const [rules, tests] = [[] as string[], [] as string[]];
  for await (const file of new Glob('observability/**/*.yaml').scan({ cwd: tree })) {
    const text = await Bun.file(join(tree, file)).text();
    const content = Bun.YAML.parse(text) as RuleFile;
    const isTest = content.tests !== undefined;
    if (!isTest && content.kind !== 'PrometheusRule') continue;
    (isTest ? tests : rules).push(file);
    await mkdir(dirname(join(laidOut, file)), { recursive: true });
    await writeFile(join(laidOut, file), isTest ? text : Bun.YAML.stringify(content.spec, null, 2));
  }
  for (const file of rules.toSorted()) await judge(['check', 'rules', '--lint=all', '--lint-fatal'], file);
  for (const file of tests.toSorted()) await judge(['test', 'rules'], file);

  async function judge(command: string[], file: string): Promise<void> {
    const child = Bun.spawn([promtool, ...command, file], { cwd: laidOut, stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, problem, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    const what = `${file}: promtool ${command.slice(0, 2).join(' ')}`;
    if (exitCode === 0) verdict.pass(what);
    else verdict.fail(what, `${problem}${out}`.trim());
  }
}
