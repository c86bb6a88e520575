import type { Drill } from './drill.ts';
import { sidecarDrills } from './sidecars.ts';

/** All there are. */
export const drills: Drill[] = [...sidecarDrills];
