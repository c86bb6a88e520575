import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import vm from 'node:vm';

/** What k6's modules export that the scripts use. What is not here does not start. */
const exported: Record<string, string[]> = {
  k6: ['check'],
  'k6/data': ['SharedArray'],
  'k6/execution': ['default'],
  'k6/http': ['default'],
  'k6/metrics': ['Counter', 'Gauge', 'Rate', 'Trend'],
  'k6/options': [],
  'k6/timers': ['setTimeout'],
};

/** What a script exports. */
export type Exports = { options?: unknown } & Record<string, unknown>;
/** What a virtual user has of its own: k6's modules by name, and the globals. */
export type Context = {
  modules: Record<string, Record<string, unknown>>;
  globals: Record<string, unknown>;
};
/** Runs the init context: each virtual user has its own copy of all modules of the script, and of what they keep. */
export type Script = { folder: string; init(context: Context): Exports };

/** Every name that Bun has and k6 has not: a script that needs one would not start there. */
const absent = [
  'Intl',
  'WeakRef',
  'FinalizationRegistry',
  'SharedArrayBuffer',
  'Atomics',
  'WebAssembly',
  'queueMicrotask',
];

/**
 * Reads a script with what it imports: files by their full relative path, and of k6's modules what the scripts here use.
 * @throws for any other import, as k6 does before it starts
 */
export async function readScript(path: string): Promise<Script> {
  const result = await Bun.build({
    entrypoints: [path],
    target: 'browser', // no module of Node's or Bun's
    format: 'cjs',
    plugins: [{ name: 'k6', setup: resolveAsK6 }],
    throw: false,
  });
  if (!result.success) throw new Error(result.logs.map((log) => `${log}`).join('\n'));
  const code = (await result.outputs[0]?.text()) ?? '';
  return { folder: dirname(path), init: initWith(code, path) };
}

/** Only the language itself is global, besides what the context gives. One realm serves all virtual users. */
function initWith(code: string, path: string): Script['init'] {
  const realm = vm.createContext({});
  for (const name of absent) vm.runInContext(`delete globalThis.${name}`, realm);
  const names = ['__k6', 'module', 'exports', '__ENV', 'open', 'console'];
  const wrapped = vm.runInContext(`(function (${names.join(', ')}) {${code}\n})`, realm, { filename: path });
  return ({ modules, globals }) => {
    const module: { exports: Exports } = { exports: {} };
    const k6 = (name: string) => modules[name];
    (wrapped as (...values: unknown[]) => void)(
      k6,
      module,
      module.exports,
      globals.__ENV,
      globals.open,
      globals.console,
    );
    return module.exports;
  };
}

function resolveAsK6(build: Bun.PluginBuilder): void {
  build.onResolve({ filter: /.*/ }, ({ path, importer }) => {
    if (path in exported) return { path, namespace: 'k6' };
    if (importer === '') return undefined; // the script itself
    const file = join(dirname(importer), path);
    if (/^\.\.?\//.test(path) && existsSync(file)) return { path: file };
    throw new Error(`unknown module: ${path}`);
  });
  build.onLoad({ filter: /.*/, namespace: 'k6' }, ({ path }) => ({ contents: moduleText(path), loader: 'js' }));
}

/** A named import that is not listed is refused by the build. */
function moduleText(name: string): string {
  const own = `__k6(${JSON.stringify(name)})`;
  const lines = (exported[name] ?? []).map((each) =>
    each === 'default' ? `export default ${own};` : `export const ${each} = ${own}.${each};`,
  );
  return lines.join('\n');
}
