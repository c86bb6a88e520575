import { hasSingleKeys } from '../choices.ts';

const TEXT = 'input:not([type=checkbox]), textarea';

/** What one types has its own way back, which the browser keeps; a field that is empty has none. */
const hasOwnUndo = (focus: Element): boolean => focus.matches(TEXT) && (focus as HTMLInputElement).value !== '';

const isTypedIn = (focus: Element): boolean => focus.matches(`${TEXT}, select`);

/** The shortest key that takes back what was just done, from where the focus is. */
export function undoKey(focus: Element | null): 'z' | 'Ctrl Z' | null {
  if (focus && hasOwnUndo(focus)) return null;
  return hasSingleKeys.value && !(focus && isTypedIn(focus)) ? 'z' : 'Ctrl Z';
}

/** Whether a key that was pressed means it. */
export function isUndo({ key, ctrlKey, metaKey, altKey, shiftKey, repeat, target }: KeyboardEvent): boolean {
  if (key.toLowerCase() !== 'z' || altKey || shiftKey || repeat) return false;
  const it = undoKey(target instanceof Element ? target : null);
  return ctrlKey || metaKey ? it !== null : it === 'z';
}
