import { called, ofKind, type Policy } from './objects.ts';
import { isKept } from './topics.ts';

/** Deleting one of these deletes what people wrote; an ExternalSecret takes its Secret along, without which no pod starts. */
const HOLDS_DATA = [
  ...['Kafka', 'KafkaNodePool', 'KafkaTopic', 'Cluster', 'Namespace', 'PersistentVolumeClaim'],
  'ExternalSecret',
];

type Storage = { storage?: { volumes?: { deleteClaim?: boolean }[] } };

/** No commit, and no revert of one, deletes data. */
export const data: Policy = (objects) =>
  ofKind<Storage>(objects, ...HOLDS_DATA)
    .filter(({ metadata }) => metadata.name !== 'argocd')
    .flatMap((object) => [
      ...(isKept(object) ? [] : [`${called(object)}: sync-options must be Prune=false,Delete=false`]),
      ...(object.spec?.storage?.volumes ?? [])
        .filter(({ deleteClaim }) => deleteClaim !== false)
        .map(() => `${called(object)}: deleteClaim must be false`),
    ]);
