import { isIP } from 'node:net';
import { isDatabaseUrl } from '#shared/config';
import { bun, readCommand } from './machine/command-line.ts';
import { completed } from './postgres/database-url.ts';
import { Refusal } from './machine/refusal.ts';

export type Options = {
  /** Only `usage` is asked for. */
  help: boolean;
  fresh: boolean;
  /** The answer to what `fresh` asks. */
  yes: boolean;
  /** Kafka and daprd in place of the stand-in. */
  real: boolean;
  /** Restarts the services whose files change. */
  watch: boolean;
  port: number;
  /** The address that the gateway listens on; all else stays on the loopback. */
  host: string;
  /** A server of the user's own: no Postgres is started. */
  databaseUrl: string | undefined;
  /** A sidecar of the user's own: no stand-in is started. */
  daprHttpPort: number | undefined;
};

/** Of the gateway, unless `--port` says another. */
export const USUAL_PORT = 8080;

export const usage = `${bun} run up [--fresh [--yes]] [--port N] [--host ADDRESS] [--real] [--watch]

  --fresh         begin with new data and secrets (asks first on a terminal)
  --yes           do not ask; needed with --fresh where there is no terminal
  --port N        serve on http://localhost:N instead of ${USUAL_PORT}
  --host ADDRESS  let others in the network reach it: 0.0.0.0 for all addresses of this machine, or one of them
  --real          on Apache Kafka and Dapr's sidecars, built at the first time (needs Go, Java and Maven)
  --watch         restart a service when a file of its changes, all for one of shared/

  TASKFLOW_STATE  folder of data, secrets and logs (default .taskflow)
  DATABASE_URL    use this Postgres instead of the embedded one
  DAPR_HTTP_PORT  use this Dapr sidecar instead of the stand-in`;

/** Reads flags and environment of `up`. Throws `Refusal` naming what is wrong. */
export function readOptions(args: string[], environment: Record<string, string | undefined>): Options {
  const flag = { type: 'boolean' } as const;
  const { help, values } = readCommand(args, {
    name: 'up',
    flags: { fresh: flag, yes: flag, real: flag, watch: flag, port: { type: 'string' }, host: { type: 'string' } },
  });
  const { fresh = false, yes = false, real = false, watch = false, port = String(USUAL_PORT) } = help ? {} : values;
  const { host = '127.0.0.1' } = help ? {} : values;
  const { DATABASE_URL, DAPR_HTTP_PORT } = help ? {} : environment;
  if (DATABASE_URL && !isDatabaseUrl(DATABASE_URL)) {
    throw new Refusal(
      'DATABASE_URL must begin with postgres:// (postgres://user:password@host:5432/database); a % in it is written %25.',
    );
  }
  if (isIP(host) === 0) {
    throw new Refusal(
      `--host must be an IP address of this machine, or 0.0.0.0 for all of them, not ${JSON.stringify(host)}.`,
    );
  }
  if (real && DAPR_HTTP_PORT) throw new Refusal('--real starts its own sidecars: leave DAPR_HTTP_PORT out.');
  return {
    help,
    fresh,
    yes,
    real,
    watch,
    port: portOf('--port', port),
    host,
    databaseUrl: DATABASE_URL ? completed(DATABASE_URL, environment) : undefined,
    daprHttpPort: DAPR_HTTP_PORT ? portOf('DAPR_HTTP_PORT', DAPR_HTTP_PORT) : undefined,
  };
}

function portOf(name: string, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new Refusal(`${name} must be a port from 1 to 65535, not ${JSON.stringify(text)}.`);
}
