import { type Consumer, consumers, deadLetterTopic, events, eventTypes } from '#shared/events';
import { called, type KubeObject, ofKind, type Policy } from './objects.ts';

type Topic = { partitions: number; replicas: number; config: Record<string, unknown> };
type User = { authorization: { acls: { resource: { type: string; name: string }; operations: string[] }[] } };

/** Topics and users of the broker are those of the event catalogue, with as many copies as make one that is lost no loss. */
export const topics: Policy = (objects) => [...ofTopics(objects), ...ofUsers(objects)];

const ofTopics: Policy = (objects) => {
  const found = ofKind<Topic>(objects, 'KafkaTopic');
  const names = found.map(({ metadata }) => metadata.name);
  const catalogue = [...eventTypes.map((type) => events[type].topic), ...Object.keys(consumers).map(deadLetterTopic)];
  return [
    ...catalogue.filter((name) => !names.includes(name)).map((name) => `KafkaTopic/${name} is missing`),
    ...found.flatMap((topic) => [
      ...(catalogue.includes(topic.metadata.name) ? [] : [`${called(topic)} is no topic of shared/events.ts`]),
      ...copies(topic).map((reason) => `${called(topic)}: ${reason}`),
      ...(isKept(topic) ? [] : [`${called(topic)}: may be pruned, and its records with it`]),
    ]),
  ];
};

function copies({ spec: { replicas, config } }: KubeObject<Topic>): string[] {
  if (replicas === 1) return [];
  const inSync = config['min.insync.replicas'];
  if (replicas === 3 && inSync === 2) return [];
  return [`replicas 3 need min.insync.replicas 2, got ${replicas} and ${inSync ?? 'nothing'}`];
}

/** What holds data stays when its manifest goes. */
export const isKept = ({ metadata }: KubeObject): boolean =>
  metadata.annotations?.['argocd.argoproj.io/sync-options'] === 'Prune=false,Delete=false';

const ofUsers: Policy = (objects) => {
  const users = ofKind<User>(objects, 'KafkaUser');
  const names = users.map(({ metadata }) => metadata.name);
  return [
    ...Object.keys(consumers)
      .filter((appId) => !names.includes(appId))
      .map((appId) => `KafkaUser/${appId} is missing`),
    ...users.flatMap((user) => {
      const granted = user.spec.authorization.acls.map(({ resource, operations }) =>
        [resource.type, resource.name, ...operations.toSorted()].join(' '),
      );
      const expected = user.metadata.name in consumers ? rightsOf(user.metadata.name as Consumer) : [];
      const unlike = [
        ...granted.filter((acl) => !expected.includes(acl)),
        ...expected.filter((acl) => !granted.includes(acl)),
      ];
      return unlike.map((acl) => `${called(user)}: not as shared/events.ts has it: ${acl}`);
    }),
  ];
};

/** What a service publishes and consumes, and its group. */
function rightsOf(appId: Consumer): string[] {
  const consumed: readonly string[] = consumers[appId];
  const ofEvents = eventTypes.flatMap((type) => {
    const operations = [
      ...(consumed.includes(type) ? ['Read'] : []),
      ...(events[type].producer === appId ? ['Write'] : []),
    ];
    return operations.length === 0 ? [] : [['topic', events[type].topic, 'Describe', ...operations].join(' ')];
  });
  return [`group ${appId} Describe Read`, ...ofEvents, `topic ${deadLetterTopic(appId)} Describe Read Write`];
}
