import type { Pool } from '#shared/db';

/** One command of an operator. `run` answers what to print. @throws {CommandError} for what the operator can mend */
export interface Command {
  /** What it must be given, for its usage line. */
  takes: string[];
  does: string;
  run: (context: { sql: Pool; operator: string }, given: string[]) => Promise<string>;
}

export type Group = Record<string, Command>;

/** A command that cannot be done, said for the operator. */
export class CommandError extends Error {
  override name = 'CommandError';
}
