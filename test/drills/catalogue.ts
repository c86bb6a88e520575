import { backlog } from './backlog.ts';
import { batchDrills } from './batches.ts';
import { brokerDrills } from './broker.ts';
import { databaseDrills } from './database.ts';
import type { Drill } from './drill.ts';
import { poison } from './poison.ts';
import { randomFaults } from './random-faults.ts';
import { joinBesideFailing, rebalance } from './rebalance.ts';
import { repeats } from './repeats.ts';
import { rollingRestart } from './rolling-restart.ts';
import { serviceDrills } from './services.ts';
import { sidecarDrills } from './sidecars.ts';

/** All there are. */
export const drills: Drill[] = [
  ...brokerDrills,
  ...sidecarDrills,
  ...serviceDrills,
  ...databaseDrills,
  rebalance,
  joinBesideFailing,
  repeats,
  poison,
  ...batchDrills,
  rollingRestart,
  backlog,
  randomFaults,
];
