import { join } from 'node:path';
import { cached, cacheFolder } from '../../../services/local/machine/cache.ts';
import { Refusal } from '../../../services/local/machine/refusal.ts';

const source = join(import.meta.dir, 'real');
const sources = ['main.go', 'go.mod', 'go.sum'].map((name) => join(source, name));
const settings = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' };
const flags = ['-trimpath', '-ldflags', '-s -w'];

/**
 * The path of Grafana k6, built by Go into the cache of the real parts: some minutes at the first call, milliseconds later.
 * Of 1.x, since the module proxy had no 2.x on the day this was written; the scripts use what both have.
 * @throws {Refusal} when there is no Go
 */
export async function buildK6(say: (line: string) => void): Promise<string> {
  if (!Bun.which('go')) throw new Refusal('Grafana k6 is neither installed nor can it be built: there is no Go.');
  const folder = await cached(cacheFolder(), 'k6', { sources, also: JSON.stringify([settings, flags]) }, build);
  return join(folder, 'k6');

  async function build(into: string): Promise<void> {
    say('Grafana k6 is built by Go, which takes some minutes the first time');
    const child = Bun.spawn(['go', 'build', ...flags, '-o', join(into, 'k6'), '.'], {
      cwd: source,
      env: { ...process.env, ...settings },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [text, exitCode] = await Promise.all([child.stderr.text(), child.exited]);
    if (exitCode !== 0) throw new Error(`go build of k6 ended with ${exitCode}:\n${text.slice(-2000)}`);
  }
}
