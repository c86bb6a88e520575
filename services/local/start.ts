import { join } from 'node:path';
import { createTrust } from '#shared/address';
import { apiConfig, listOf } from '#shared/config';
import { createSite, type Site } from '../web/site.ts';
import { buildSite } from '../web/build.ts';
import { localUrl, networkAddresses, publicUrl } from './address.ts';
import { type AppId, apps, perApp } from './machine/apps.ts';
import { answers, type Child } from './machine/child.ts';
import { ensureDatabase, explainGiven, isServerLost, prepareData } from './state/data.ts';
import { type DemoUser, ensureDemoUser, isDemoEnabled, mayHaveDemo } from './gateway/demo-login.ts';
import { POSTGRES } from './state/folder.ts';
import { startGateway } from './gateway/gateway.ts';
import { operate } from './operate.ts';
import { type Options, USUAL_PORT } from './options.ts';
import { freePort, freePorts, isFree } from './machine/port.ts';
import { startPostgres } from './postgres/postgres.ts';
import { codeOf, Refusal } from './machine/refusal.ts';
import { Interrupted, keep, NotReady, type Part, type Session, step } from './session.ts';
import {
  refuseBadSettings,
  serviceEnvironment,
  serviceSettings,
  sidecarEnvironment,
  spawnService,
  type Stack,
} from './stack.ts';
import { readTour } from './tour.ts';

const READY_MS = 30_000;

/**
 * Starts everything. `onStarted` gets each stage as soon as it runs and before it is ready, so that it can be stopped
 * whatever happens next. Throws `Refusal`, `Interrupted`, `NotReady` or what went wrong.
 */
export async function startAll(session: Session, onStarted: (...parts: Part[]) => void): Promise<Stack> {
  const { options, state, terminal } = session;
  const ports = choosePorts(options);
  const page = keepPage(demoOf(session) !== null);
  // First, since it tells whether the port is ours; it answers 503 while the rest is starting.
  onStarted(openGateway(session, ports, page));
  if (options.daprHttpPort !== undefined) await requireSidecar(options.daprHttpPort);

  const database = options.databaseUrl ? givenDatabase(options.databaseUrl) : await startDatabase(session);
  if (database.part) onStarted(database.part);
  const data = await step(session, 'database migrated', async () => {
    try {
      return await Promise.race([database.url().then((url) => prepareData(url, state.secrets)), database.lost]);
    } catch (error) {
      throw await database.explain(error);
    }
  });
  for (const name of data.migrations) terminal.step(`applied migration ${name}`);
  if (!data.hasRoles) terminal.step('this database allows no new roles: all services use DATABASE_URL as it is');

  const stack = plan(session, ports, data.url);
  refuseBadSettings(stack);
  const readiness = apps.map(({ appId }) => ({
    name: appId as string,
    url: `http://127.0.0.1:${ports[appId]}/health/ready`,
  }));
  const real = options.real
    ? await step(session, 'Kafka and daprd ready to start', () => prepareReal(session))
    : undefined;
  if (real) onStarted(...(await startBroker(session, real)));
  else if (options.daprHttpPort === undefined) {
    const standIn = spawnStandIn(session, stack, data.sidecarUrl);
    onStarted(standIn);
    readiness.push({ name: standIn.name, url: `http://127.0.0.1:${standIn.port}/healthz` });
  }
  onStarted(spawn(session, stack, 'chat-api'));
  onStarted(...apps.filter(({ appId }) => appId !== 'chat-api').map(({ appId }) => spawn(session, stack, appId)));
  // Last, so first to stop: a sidecar ends well while its service still answers deliveries.
  if (real) {
    const authority = await real.authority();
    onStarted(
      ...apps.map(({ appId }) => spawnDaprd(session, stack, appId, () => real.startDaprd(stack, appId, authority))),
    );
  }
  await step(session, 'five services ready', () => allReady(session, readiness));
  await page.site(); // one that cannot be built stops `up`, which says why
  await prepareDemo(session, stack);
  return stack;
}

/** The demo user, or null where there is none. */
export const demoOf = ({ options, state }: Session): DemoUser | null =>
  mayHaveDemo(publicUrl(options), process.env.SIGNUP || 'open') ? state.secrets.demo : null;

/** Makes the demo user, or locks out that of an earlier `up` where there should be none. Without either all else runs. */
async function prepareDemo(session: Session, stack: Stack): Promise<void> {
  const { terminal, state } = session;
  try {
    const demo = demoOf(session);
    if (demo) return await step(session, 'demo user ready', () => ensureDemoUser(stack.ports['chat-api'], demo));
    if (await isDemoEnabled(stack.databaseUrl('chat-api'), state.secrets.demo))
      await step(session, 'demo user disabled', () => disableDemoUser(stack, state.secrets.demo));
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    terminal.step(error instanceof Error ? error.message : String(error));
  }
}

async function disableDemoUser(stack: Stack, { email }: DemoUser): Promise<void> {
  const settings = serviceSettings(stack, 'chat-api');
  const exitCode = await operate('chat-api', ['users', 'disable', email], { settings, stdout: 'ignore' });
  if (exitCode !== 0) throw new Error(`the demo user could not be disabled: \`ops\` ended with ${exitCode}`);
}

/**
 * The ports of the documentation where they are free, any others where not. Only for an `up` on the usual port, which no
 * two can hold: others that start at the same moment would find the same ones free, and mix their services up.
 */
function choosePorts({ port }: Options): Record<AppId, number> {
  const spare = freePorts(apps.length);
  return perApp((_appId, index) => {
    const wanted = apps[index]?.port ?? 0;
    return port === USUAL_PORT && isFree(wanted) ? wanted : (spare[index] ?? 0);
  });
}

type Page = { site(): Promise<Site>; rebuild(): Promise<void> };

/** The page as it was built last. What cannot be built leaves the one before. */
function keepPage(hasDemo: boolean): Page {
  const build = async () => createSite(await buildSite({ hasDemo }));
  let site = build();
  site.catch(() => {}); // told when it is asked for
  return {
    site: () => site,
    async rebuild() {
      site = Promise.resolve(await build());
    },
  };
}

function openGateway(session: Session, ports: Record<AppId, number>, { site, rebuild }: Page): Part {
  const { options } = session;
  const { host, port } = options;
  const tour = () => readTour(localUrl(options).replace('127.0.0.1', 'localhost'));
  try {
    const server = startGateway({
      host,
      port,
      ports,
      publicUrl: publicUrl(options),
      site,
      demo: demoOf(session),
      tour,
      isTrusted: trustedProxies(),
    });
    const restart = async () =>
      rebuild().catch((error: unknown) => session.terminal.step(`the page: ${String(error)}`));
    return { name: 'gateway', port, pid: () => process.pid, restart, stop: () => server.stop(true) };
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') {
      throw new Refusal(`Port ${port} is taken: stop what uses it, or choose another one, such as --port ${port + 1}.`);
    }
    if (codeOf(error) === 'EADDRNOTAVAIL') {
      const has = ['0.0.0.0', ...networkAddresses()].join(', ');
      throw new Refusal(`--host ${host}: this machine has no such address. It has ${has}.`);
    }
    if (codeOf(error) === 'EACCES') throw new Refusal(`Port ${port} is for root only: choose one from 1024 on.`);
    throw error;
  }
}

/** By the setting of the services. */
function trustedProxies(): (address: string) => boolean {
  const { TRUSTED_PROXIES = apiConfig.TRUSTED_PROXIES.default } = process.env;
  try {
    return createTrust(listOf(TRUSTED_PROXIES));
  } catch (error) {
    throw new Refusal(error instanceof Error ? error.message : String(error));
  }
}

type Database = {
  url(): Promise<string>;
  /** Rejects when the server ends by itself: a connection to it may wait for ever. */
  lost: Promise<never>;
  explain(error: unknown): Promise<unknown>;
  part?: Part;
};

function givenDatabase(url: string): Database {
  return { url: async () => url, lost: new Promise(() => {}), explain: async (error) => explainGiven(error, url) };
}

/** Not a step that a signal may cut short: a server that is starting must be ours to stop first. */
async function startDatabase(session: Session): Promise<Database> {
  const { state, terminal } = session;
  const where = { dataDir: state.path(POSTGRES), durable: true, log: state.path('postgres.log') };
  const first = await terminal.timed('Postgres 18 started', () => startPostgres(where));
  // A restart comes back on the port that the services know.
  const restart = () => startPostgres({ ...where, port: first.port });
  const lost = first.exited.then(async () => Promise.reject(await first.explain()));
  lost.catch(() => {}); // once all is prepared, it is the supervisor that cares
  return {
    lost,
    url: () => ensureDatabase(first.adminUrl, 'taskflow'),
    explain: async (error) => (isServerLost(error) ? first.explain() : error),
    part: keep(session, 'postgres', first.port, first, restart),
  };
}

async function requireSidecar(port: number): Promise<void> {
  try {
    await fetch(`http://127.0.0.1:${port}/v1.0/healthz/outbound`, { signal: AbortSignal.timeout(5000) });
  } catch (cause) {
    throw new Refusal(`No Dapr sidecar answers on port ${port}: start it, or leave DAPR_HTTP_PORT out.`, { cause });
  }
}

function plan({ options, state }: Session, ports: Record<AppId, number>, databaseUrl: Stack['databaseUrl']): Stack {
  const { daprHttpPort } = options;
  const free = freePorts(apps.length);
  return {
    // A sidecar that we did not start knows no tokens of ours.
    secrets:
      daprHttpPort === undefined
        ? state.secrets
        : {
            ...state.secrets,
            DAPR_API_TOKEN: process.env.DAPR_API_TOKEN ?? '',
            APP_API_TOKEN: process.env.APP_API_TOKEN ?? '',
          },
    databaseUrl,
    ports,
    sidecarPorts: perApp((_appId, index) => daprHttpPort ?? free[index] ?? 0),
    publicUrl: publicUrl(options),
    commit: commit(),
  };
}

function spawnStandIn(session: Session, stack: Stack, databaseUrl: string): Part {
  const controlPort = freePort();
  // Told to nobody: only tests switch faults, on stand-ins of their own.
  const environment = sidecarEnvironment(stack, { databaseUrl, controlPort, controlToken: crypto.randomUUID() });
  const onLine = session.terminal.linesOf('sidecar');
  const start = () => spawnService('local/sidecar', environment, { onLine });
  return keep(session, 'sidecar', controlPort, start(), start);
}

type Real = Awaited<ReturnType<typeof prepareReal>>;

/** Loaded on demand: what builds and starts the real parts is no part of an ordinary `up`. */
async function prepareReal({ state, terminal }: Session) {
  const { prepareRealParts } = await import('./real/up.ts');
  return prepareRealParts({ folder: state.path, say: terminal.step, linesOf: terminal.linesOf });
}

/** Not a step that a signal may cut short, as for the database. */
async function startBroker(session: Session, { kafka, sentry }: Real): Promise<Part[]> {
  return session.terminal.timed('Kafka and sentry started', async () => {
    const [broker, authority] = await Promise.all([kafka.launch(), sentry.launch()]);
    return [
      keep(session, 'kafka', kafka.port, broker, kafka.launch),
      keep(session, 'sentry', sentry.port, authority, sentry.launch),
    ];
  });
}

function spawnDaprd(session: Session, stack: Stack, appId: AppId, start: () => Child): Part {
  return keep(session, `daprd-${appId}`, stack.sidecarPorts[appId], start(), start);
}

function spawn(session: Session, stack: Stack, appId: AppId): Part {
  const environment = serviceEnvironment(stack, appId);
  const onLine = session.terminal.linesOf(appId);
  const start = () => spawnService(appId, environment, { onLine });
  return keep(session, appId, stack.ports[appId], start(), start);
}

async function allReady({ signals, state }: Session, parts: { name: string; url: string }[]): Promise<void> {
  const isNeeded = () => !signals.isStopping();
  await Promise.all(
    parts.map(async ({ name, url }) => {
      try {
        await answers(url, READY_MS, isNeeded);
      } catch (cause) {
        const last = cause instanceof Error ? cause.message : String(cause);
        const log = state.path(join('logs', `${name}.log`));
        throw new NotReady(`${name} does not get ready; what it says stands above and in ${log}. ${last}`, { cause });
      }
    }),
  );
}

function commit(): string {
  const git = Bun.which('git');
  if (!git) return 'unknown';
  const { exitCode, stdout } = Bun.spawnSync([git, 'rev-parse', '--short=12', 'HEAD'], {
    cwd: import.meta.dir,
    stderr: 'ignore',
  });
  return exitCode === 0 ? stdout.toString().trim() : 'unknown';
}
