import { roleOf } from '../db/migrate.ts';
import { apps } from '../services/local/machine/apps.ts';
import { bun, commandOrExit } from '../services/local/machine/command-line.ts';
import { makeSecrets } from '../services/local/state/secrets.ts';

// bun run gitops:secrets | kubectl create -f -: what a cluster without a secret store needs once.

/**
 * Random Secrets with the names and keys that data/overlays/cloud/secrets.yaml takes from a store. Their roles get the passwords of
 * `database-urls` by the migration; the owner's URL is CloudNativePG's.
 */
export function secretsOf({ databaseHost }: { databaseHost: string }): object[] {
  const { JWT_SECRET, SERVICE_TOKEN, APP_API_TOKEN, DAPR_API_TOKEN, AUDIT_SEAL_KEY, databasePasswords } = makeSecrets();
  const urls = apps.map(
    ({ appId }) => [appId, `postgres://${roleOf(appId)}:${databasePasswords[appId]}@${databaseHost}/taskflow`] as const,
  );
  const secret = (name: string, stringData: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'taskflow' },
    stringData,
  });
  return [
    secret('database-urls', Object.fromEntries(urls)),
    secret('jwt', { secret: JWT_SECRET }),
    secret('app-api-token', { token: APP_API_TOKEN }),
    secret('dapr-api-token', { token: DAPR_API_TOKEN }),
    secret('service-token', { token: SERVICE_TOKEN }),
    secret('audit-seal-key', { key: AUDIT_SEAL_KEY }),
  ];
}

if (import.meta.main) {
  commandOrExit({
    name: 'gitops:secrets',
    usage: `${bun} run gitops:secrets | kubectl create -f -

Prints random Secrets for a cluster without a secret store. \`create\` refuses to replace those that are there: with
others all sessions would end, and the audit trail could not be verified.`,
    flags: {},
  });
  // The Service that CloudNativePG makes for the primary of data/overlays/minikube/postgres.yaml.
  const documents = secretsOf({ databaseHost: 'taskflow-postgres-rw:5432' });
  console.log(documents.map((document) => Bun.YAML.stringify(document, null, 2)).join('\n---\n'));
}
