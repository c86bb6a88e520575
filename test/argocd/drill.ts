import type { World } from './world.ts';

/** Something that a commit, or a person, does to a running installation. */
export type Drill = {
  name: string;
  /** Does it, sees what came of it, and undoes it. @returns what was seen, with its seconds @throws when it was something else */
  run(world: World): Promise<string>;
};

/** `4.2 s` */
export const seconds = (value: number): string => `${value.toFixed(1)} s`;
