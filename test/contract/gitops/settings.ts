import type { TObject } from '@sinclair/typebox';
import { ConfigError, readConfig } from '#shared/config';
import type { AppId } from '#shared/frame';
import { schemas } from '../../../services/local/stack.ts';
import { schema as web } from '../../../services/web/config.ts';
import { called, type Container, deployments, type KubeObject, ofKind, type Policy } from './objects.ts';

/** Read by what is below our code: see base/common.env. */
const notOurs = ['NO_PROXY'];

/** Which settings hold what nobody may read in a ConfigMap. */
const SECRET = /SECRET|TOKEN$|TOKEN_PREVIOUS$|KEY|PASSWORD|DATABASE_URL$/;

/** Stands in for what a Secret holds: right for every schema, so that only its absence is found. */
const fromSecret = (name: string) => (name === 'DATABASE_URL' ? 'postgres://role:p@db/taskflow' : 's'.repeat(32));

/** A service's environment is what its schema takes: no key that it does not know, none missing, no value that it would refuse. */
export const settings: Policy = (objects) => [
  ...secretsInTheOpen(objects),
  ...deployments(objects).flatMap(({ object, pod }) => {
    const schema = object.metadata.name === 'web' ? web : schemas[object.metadata.name as AppId];
    const wrong = (reason: string) => `${called(object)}: ${reason}`;
    if (!schema || !pod.containers[0]) return [wrong('there is no such service')];
    const { environment, problems } = environmentOf(pod.containers[0], objects);
    const known = [...Object.keys(schema.properties), ...notOurs];
    const unknown = Object.keys(environment).filter((key) => !known.includes(key));
    return [
      ...problems.map(wrong),
      ...unknown.map((key) => wrong(`${key} is no setting of this service`)),
      ...notOurs
        .filter((key) => !environment[key]?.includes('127.0.0.1'))
        .map((key) => wrong(`${key} lacks 127.0.0.1`)),
      ...refusedBy(schema, environment).map(wrong),
      ...(object.metadata.name === 'chat-api' && !/^(invite|closed)$/.test(environment['SIGNUP'] ?? '')
        ? [wrong('SIGNUP must be invite or closed, since everybody reaches it')]
        : []),
    ];
  }),
];

export function environmentOf(container: Container, objects: KubeObject[]) {
  const environment: Record<string, string> = {};
  const problems: string[] = [];
  const maps = new Map(ofKind(objects, 'ConfigMap').map(({ metadata, data }) => [metadata.name, data ?? {}]));
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (secretRef) problems.push(`envFrom ${secretRef.name}: secrets are taken by the key`);
    if (configMapRef && !maps.has(configMapRef.name)) problems.push(`there is no ConfigMap ${configMapRef.name}`);
    for (const [key, value] of Object.entries(maps.get(configMapRef?.name ?? '') ?? {})) {
      if (key in environment) problems.push(`${key} stands in two ConfigMaps`);
      environment[key] = value;
    }
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (SECRET.test(name) && !valueFrom?.secretKeyRef) problems.push(`${name} must come from a Secret`);
    environment[name] = valueFrom ? fromSecret(name) : (value ?? '');
  }
  return { environment, problems };
}

function refusedBy(schema: TObject, environment: Record<string, string>): string[] {
  try {
    readConfig(schema, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

/** What anybody who may list ConfigMaps could read. */
const secretsInTheOpen: Policy = (objects) =>
  ofKind(objects, 'ConfigMap').flatMap((map) =>
    Object.entries(map.data ?? {})
      .filter(([key, value]) => SECRET.test(key) || /:\/\/[^/\s:]+:[^/\s@]+@/.test(value))
      .map(([key]) => `${called(map)}: ${key} belongs in a Secret`),
  );
