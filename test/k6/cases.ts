import type { Faults } from './fake.ts';

/** How small each script runs on the fake. */
export const sizes: Record<string, Record<string, number>> = {
  smoke: {},
  latency: { RATE: 10, DURATION: 3, HELD: 2 },
  streams: { STREAMS: 20, RAMP: 0.2, HOLD: 6, LEAVE: 0.2, RATE: 5 },
  recurring: { SERIES: 200, CREATE: 1, MARGIN: 0.1, TICK: 1, WAIT: 0.1 },
  reminders: { REMINDERS: 200, CREATE: 1, MARGIN: 0.1, SPREAD: 0.1, WAIT: 0.1 },
  api: { RATE: 10, DURATION: 3 },
  soak: { RATE: 5, LIVES: 4, DURATION: 3 },
  rollback: { RATE: 4, DURATION: 3, AFTER: 4 },
};

const events = ['delivery_latency max<2000', 'delivery_latency p(99)<500'];
const rows = ['event_latency max<2000', 'event_latency p(99)<500'];
const mixed = ['create', 'list', 'read', 'update', 'complete'].flatMap((call) =>
  ['p(95)<200', 'p(99)<500'].map((threshold) => `http_req_duration{name:${call}} ${threshold}`),
);

/** Each threshold of each script, and a fault that it is for. */
export const cases: [name: string, what: string, faults: Faults, failed: string[]][] = [
  ['smoke', 'rows of the inbox are late', { rowMs: 2500 }, ['event_latency max<2000', 'event_latency med<500']],
  ['smoke', 'an event is lost', { isLossy: true }, ['events_delivered rate==1', 'checks rate==1']],
  ['smoke', 'a change is forgotten', { isForgetful: true }, ['checks rate==1']],
  ['smoke', 'creating fails', { broken: /POST/ }, ['http_req_failed rate==0', 'http_reqs{name:trail} count>=1']],

  ['latency', 'rows of the inbox are late', { rowMs: 2500 }, rows],
  ['latency', 'streams are late', { streamMs: 2600 }, [...events, 'dropped_iterations count==0']],
  ['latency', 'every second event is lost', { isLossy: true }, ['events_delivered rate==1']],
  [
    'latency',
    'the inbox cannot be read',
    { broken: /notifications/ },
    ['http_req_failed rate==0', 'http_reqs{name:create} count>=30', 'http_reqs{name:create each second} count>=6'],
  ],

  ['streams', 'one stream is missing', { missingStreams: 1 }, ['open_streams min>=20']],
  ['streams', 'rows of the inbox are late', { rowMs: 2500 }, rows],
  ['streams', 'streams are late', { streamMs: 4000 }, [...events, 'dropped_iterations count==0']],
  ['streams', 'every second event is lost', { isLossy: true }, ['events_delivered rate==1']],
  [
    'streams',
    'the inbox cannot be read',
    { broken: /notifications/ },
    ['http_req_failed rate==0', 'http_reqs{name:create} count>=24'],
  ],

  ['recurring', 'instances are late', { lateMs: 32_000 }, ['instance_lateness max<31000']],
  ['recurring', 'instances are early', { lateMs: -1 }, ['instance_lateness min>=0']],
  [
    'recurring',
    'every second event is lost',
    { isLossy: true },
    ['instances_seen count==200', 'instances_seen_once rate==1'],
  ],
  ['recurring', 'events come twice', { isRepeating: true }, ['instances_seen_once rate==1']],
  ['recurring', 'creating fails', { broken: /POST/ }, ['created rate==1', 'http_req_failed rate==0']],
  ['recurring', 'creating takes too long', { batchMs: 4000 }, ['dropped_iterations count==0']],

  [
    'reminders',
    'reminders are late',
    { lateMs: 60_001 },
    ['reminder_lateness max<60000', 'notification_lateness max<60000'],
  ],
  ['reminders', 'reminders are early', { lateMs: -20 }, ['reminder_lateness min>=0', 'notification_lateness min>=0']],
  [
    'reminders',
    'every second event is lost',
    { isLossy: true },
    ['reminders_seen count==200', 'reminders_seen_once rate==1'],
  ],
  ['reminders', 'events come twice', { isRepeating: true }, ['reminders_seen_once rate==1']],
  ['reminders', 'creating fails', { broken: /POST/ }, ['created rate==1', 'http_req_failed rate==0']],
  ['reminders', 'creating takes too long', { batchMs: 4000 }, ['dropped_iterations count==0']],

  ['api', 'answers are late', { answerMs: 600 }, [...mixed, 'dropped_iterations count==0']],
  ['api', 'a change is forgotten', { isForgetful: true }, ['checks rate==1']],
  [
    'api',
    'creating fails',
    { broken: /POST/ },
    ['checks rate==1', 'http_req_failed rate==0', 'http_reqs{name:complete} count>=30'],
  ],

  ['soak', 'answers are late', { answerMs: 600 }, mixed],
  ['soak', 'streams are late', { streamMs: 2600 }, [...events, 'dropped_iterations count==0']],
  ['soak', 'rows of the inbox are late', { rowMs: 2500 }, rows],
  ['soak', 'every second event is lost', { isLossy: true }, ['events_delivered rate==1']],
  ['soak', 'a change is forgotten', { isForgetful: true }, ['checks rate==1']],
  ['soak', 'memory grows', { growth: 0.6 }, ['memory_growth value<1.5']],
  ['soak', 'memory is not told', { growth: NaN }, ['memory_growth value>0']],
  [
    'soak',
    'nothing works any more',
    { broken: /./ },
    [
      'http_req_failed rate==0',
      'http_req_failed rate<0.5',
      'http_reqs{name:complete} count>=12',
      'http_reqs{name:create} count>=27',
    ],
  ],

  ['rollback', 'a change is forgotten', { isForgetful: true }, ['checks rate==1']],
  ['rollback', 'every second event is lost', { isLossy: true }, ['events_delivered rate==1']],
  ['rollback', 'what Phase IV made is never published', { silent: 'Phase IV' }, ['tasks_published rate==1']],
  ['rollback', 'rows of the inbox are late', { rowMs: 2500 }, rows],
  ['rollback', 'streams are late', { streamMs: 4000 }, [...events, 'dropped_iterations count==0']],
  [
    'rollback',
    'creating fails',
    { broken: /POST/ },
    ['http_req_failed rate==0', 'http_reqs{name:phase4 delete} count>=6'],
  ],
  [
    'rollback',
    'the inbox cannot be read, and tasks cannot be listed',
    { broken: /notifications|GET .tasks$/ },
    ['http_reqs{name:create} count>=8', 'tasks_published rate==1'],
  ],
];
