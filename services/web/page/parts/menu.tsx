import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Command } from './commands.ts';

/** A menu at the button that opened it (ARIA Authoring Practices: menu button). In the top layer: no list cuts it off. */
export function Menu({
  at,
  label,
  items,
  close,
}: {
  at: HTMLElement;
  label: string;
  items: Command[];
  close: () => void;
}) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const menu = ref.current;
    if (!menu) return;
    menu.showPopover();
    const { right, bottom, top } = at.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = menu;
    const isRoom = bottom + height + 8 < innerHeight;
    menu.style.left = `${Math.max(8, right - width)}px`;
    menu.style.top = `${isRoom ? bottom : Math.max(8, top - height - 8)}px`;
    menu.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    const leave = (event: Event) => {
      if (!(event.target instanceof Node && menu.contains(event.target))) close();
    };
    addEventListener('pointerdown', leave);
    addEventListener('scroll', leave, { passive: true, capture: true });
    return () => {
      removeEventListener('pointerdown', leave);
      removeEventListener('scroll', leave, { capture: true });
    };
  }, []);

  function move(event: KeyboardEvent): void {
    const all = [...(ref.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const index = all.indexOf(document.activeElement as HTMLElement);
    const to: Record<string, number> = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: all.length - 1 };
    const next = to[event.key];
    event.stopPropagation(); // the list under it has keys of its own
    if (event.key === 'Escape' || event.key === 'Tab') {
      close();
      at.focus();
    } else if (next !== undefined) all[(next + all.length) % all.length]?.focus();
    else return;
    event.preventDefault();
  }

  return (
    <div ref={ref} class="menu" popover="manual" role="menu" aria-label={label} tabIndex={-1} onKeyDown={move}>
      {items.map(({ name, key, isApart, act }) => (
        <button
          key={name}
          class={isApart ? 'is-apart' : ''}
          role="menuitem"
          tabIndex={-1}
          onClick={() => {
            close();
            at.focus();
            act();
          }}
        >
          {name}
          {key && <kbd>{key}</kbd>}
        </button>
      ))}
    </div>
  );
}
