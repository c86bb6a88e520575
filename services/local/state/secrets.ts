import { type Static, Type } from '@sinclair/typebox';
import { join } from 'node:path';
import { perApp } from '../machine/apps.ts';
import { bun } from '../machine/command-line.ts';
import { readPrivate, writePrivate } from './private-file.ts';
import { Refusal } from '../machine/refusal.ts';

const key = Type.String({ minLength: 32 });
const password = Type.String({ minLength: 1 });
const schema = Type.Object({
  JWT_SECRET: key,
  SERVICE_TOKEN: key,
  APP_API_TOKEN: key,
  DAPR_API_TOKEN: key,
  AUDIT_SEAL_KEY: key,
  /** One database role per service. */
  databasePasswords: Type.Object(perApp(() => password)),
  demo: Type.Object({ email: Type.String(), password }),
});

export type Secrets = Static<typeof schema>;

const FILE = 'secrets.json';

const mend = `put a copy of it back, or begin anew with \`${bun} run up --fresh\`, which removes all tasks too`;

/** Those of the first time. Throws `Refusal` when the file is damaged, and leaves it as it is. */
export const readSecrets = (folder: string): Secrets | undefined => readPrivate(join(folder, FILE), schema, mend);

/**
 * Makes those of the first time. None is ever made anew: with another key tokens would end, and the audit trail could not
 * be verified. `hasData`: it is not the first time. Throws `Refusal` when they are damaged, or gone.
 */
export function readOrMakeSecrets(folder: string, { hasData }: { hasData: boolean }): Secrets {
  const found = readSecrets(folder);
  if (found) return found;
  if (hasData)
    throw new Refusal(`${join(folder, FILE)} is gone, and the data beside it needs the secrets that it held: ${mend}.`);
  const secrets = makeSecrets();
  writePrivate(join(folder, FILE), secrets);
  return secrets;
}

export function makeSecrets(): Secrets {
  return {
    JWT_SECRET: random(),
    SERVICE_TOKEN: random(),
    APP_API_TOKEN: random(),
    DAPR_API_TOKEN: random(),
    AUDIT_SEAL_KEY: random(),
    databasePasswords: perApp(() => random()),
    // `Tf1`: an upper-case letter and a digit, which a random text may lack.
    demo: { email: `demo-${crypto.randomUUID().slice(0, 8)}@example.com`, password: `Tf1-${random(9)}` },
  };
}

function random(bytes = 32): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64url');
}
