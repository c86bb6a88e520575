import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { bypassProxy } from '#shared/loopback';
import { startSidecars } from './start.ts';

const port = Type.Integer({ minimum: 0, maximum: 65_535 });
const appsSchema = Type.Array(
  Type.Object({ appId: Type.String({ minLength: 1 }), appPort: Type.Optional(port), httpPort: port }),
  { minItems: 1 },
);

bypassProxy(process.env);
const standIn = await startSidecars({
  databaseUrl: required('SIDECAR_DATABASE_URL'),
  apps: readApps(required('SIDECAR_APPS')),
  resources: required('SIDECAR_RESOURCES'),
  daprApiToken: Bun.env.DAPR_API_TOKEN || null,
  appApiToken: Bun.env.APP_API_TOKEN || null,
  control: { port: Number(required('SIDECAR_CONTROL_PORT')), token: required('SIDECAR_CONTROL_TOKEN') },
  report,
});
report('sidecars started', {
  control_port: standIn.controlPort,
  apps: standIn.state().apps.map(({ app_id, app_port, http_port }) => ({ app_id, app_port, http_port })),
});

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, async () => {
    if (stopping) return;
    stopping = true;
    await standIn.stop().catch((error) => report('stopped without saving the offsets', { error: String(error) }));
    process.exit(0);
  });

function required(name: string): string {
  const value = Bun.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function readApps(json: string): Static<typeof appsSchema> {
  const apps: unknown = JSON.parse(json);
  if (Value.Check(appsSchema, apps)) return apps;
  const first = Value.Errors(appsSchema, apps).First();
  throw new Error(`SIDECAR_APPS${first?.path}: ${first?.message}`);
}

function report(message: string, fields: object): void {
  console.log(
    JSON.stringify({ time: new Date().toISOString(), level: 'info', service: 'sidecar', message, ...fields }),
  );
}
