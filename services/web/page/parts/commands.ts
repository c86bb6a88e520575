import { useLayoutEffect, useRef } from 'preact/hooks';

/** What can be done: by a menu, by a key, or by its name in the palette. */
export type Command = { name: string; key?: string; isApart?: boolean; act: () => void };

const offers = new Set<{ readonly current: () => Command[] }>();

/** Offers commands to the palette for as long as what has them is shown. */
export function useCommands(offer: () => Command[]): void {
  const latest = useRef(offer);
  latest.current = offer;
  useLayoutEffect(() => {
    offers.add(latest);
    return () => void offers.delete(latest);
  }, []);
}

/** All that can be done where one is, first by what was shown last: the list before the frame. */
export const commands = (): Command[] => [...offers].reverse().flatMap(({ current }) => current());
