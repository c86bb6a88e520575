import { useLayoutEffect, useRef } from 'preact/hooks';
import { hasSingleKeys } from '../choices.ts';
import { tinykeys } from 'tinykeys';

type Shortcuts = Record<string, (event: KeyboardEvent) => void>;

/** How long a sequence waits for its next key: a second, as tinykeys has it, is short for who types slowly. */
const PATIENCE_MS = 2_000;

/** Keys mean something else where something is open that has its own. */
const OWN_KEYS = 'dialog, .detail, [role=menu]';

/** Typed text, and a key that is held, unless it goes through a list. (A checkbox has no text: its row has keys.) */
const isOther = ({ target, key, repeat, isComposing }: KeyboardEvent): boolean =>
  isComposing ||
  (repeat && !/^([jk]|Arrow(Up|Down))$/i.test(key)) ||
  (target instanceof Element && target.matches('input:not([type=checkbox]), select, textarea, [contenteditable]'));

/**
 * Single keys and sequences of the page, as long as what uses them is shown. Which keys there are is settled by the first
 * call; what they do is always that of the latest, so that a sequence outlives being drawn again. They are there as soon as
 * what is seen is, not a frame later.
 */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useLayoutEffect(() => {
    const call = (key: string) => (event: KeyboardEvent) => {
      if (event.target instanceof Element && event.target.closest(OWN_KEYS)) return;
      if (!hasSingleKeys.value) return;
      event.preventDefault();
      listenAnew();
      latest.current[key]?.(event);
    };
    const handlers = Object.fromEntries(Object.keys(shortcuts).map((key) => [key, call(key)]));
    const listen = () => tinykeys(window, handlers, { ignore: isOther, timeout: PATIENCE_MS });
    let end = listen();
    // tinykeys 4.0.0 goes on waiting for the other sequences that began so: `g o` right after `g u` would be missed.
    function listenAnew(): void {
      end();
      end = listen();
    }
    return () => end();
  }, []);
}
