import { session } from '../session.ts';

// The line that is being typed, kept in its tab: a reload loses nothing.

const KEPT = 'taskflow.line';

/** What whoever is signed in was typing here; what another typed is nobody's business. */
export function keptLine(): string {
  const { by, text } = JSON.parse(sessionStorage.getItem(KEPT) ?? '{}') as { by?: string; text?: string };
  return by !== undefined && by === personId() ? (text ?? '') : '';
}

export function keepLine(text: string): void {
  if (text === '') forgetLine();
  else sessionStorage.setItem(KEPT, JSON.stringify({ by: personId(), text }));
}

export const forgetLine = (): void => sessionStorage.removeItem(KEPT);

const personId = (): string | undefined => ('person' in session.value ? session.value.person.id : undefined);
