import { useEffect } from 'preact/hooks';
import { onItem } from '../state.ts';
import type { Item } from './protocol.ts';

/** Other services hear of a change when the page does, and write it down in batches. */
const AFTER_MS = 700;

/** Asks again a moment after an event that is meant, when another service has it too. `read` is that of the first call. */
export function useLater(read: () => void, isMeant: (item: Item) => boolean = () => true): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = onItem((item) => {
      if (!isMeant(item)) return;
      clearTimeout(timer);
      timer = setTimeout(read, AFTER_MS);
    });
    return () => {
      end();
      clearTimeout(timer);
    };
  }, []);
}
