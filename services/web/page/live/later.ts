import { useEffect } from 'preact/hooks';
import { onItem } from '../state.ts';
import type { Item } from './protocol.ts';

/** Other services hear of a change when the page does, and write it down in batches; one that is behind, seconds later. */
const AFTER_MS = [700, 4000];

/**
 * Asks again a moment after an event that is meant, when another service has it too, and once more seconds later. `read` is
 * that of the first call.
 */
export function useLater(read: () => void, isMeant: (item: Item) => boolean = () => true): void {
  useEffect(() => {
    let timers: ReturnType<typeof setTimeout>[] = [];
    const end = onItem((item) => {
      if (!isMeant(item)) return;
      timers.forEach(clearTimeout);
      timers = AFTER_MS.map((ms) => setTimeout(read, ms));
    });
    return () => {
      end();
      timers.forEach(clearTimeout);
    };
  }, []);
}
