import { expect, test } from 'bun:test';
import { join } from 'node:path';

const root = join(import.meta.dir, '../..');

test.each([
  ['a person', '', 2],
  ['CI, where it would leave them untested', 'true', 1],
])('without Go, Java and Maven the tests on the real parts end in one sentence for %s', async (_who, CI, expected) => {
  const env = { ...process.env, CI, PATH: join(root, 'no such folder') };
  const child = Bun.spawn([process.execPath, 'test/check.ts', '--real'], { cwd: root, env, stderr: 'pipe' });
  const [out, err, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  expect({ out, err, exitCode }).toEqual({
    out: '',
    err: 'The real parts need Go, Java 17 and Maven: install what is missing (go, java, mvn).\n',
    exitCode: expected,
  });
});
