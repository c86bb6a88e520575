/** What the person at the terminal has to change. The message is one whole sentence; the command exits with 2. */
export class Refusal extends Error {
  override name = 'Refusal';
}

/** The `code` of a system or Postgres error, or undefined: branch on it, never on the text. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
