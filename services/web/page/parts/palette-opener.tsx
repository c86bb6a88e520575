import { signal, useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { changes } from '../state.ts';

const isOpen = signal(false);

export const openPalette = () => void (isOpen.value = true);

/** The palette, which is read when it is first asked for: by Ctrl or Cmd and K, wherever one is typing. */
export function PaletteOpener() {
  const Palette = useSignal<ComponentType<{ close: () => void }> | null>(null);
  useLayoutEffect(() => {
    function pressed(event: KeyboardEvent): void {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'k') return;
      event.preventDefault(); // the browser's own search
      if (!document.querySelector('dialog[open]')) openPalette();
    }
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
  useLayoutEffect(() => {
    if (!isOpen.value || Palette.value) return;
    import('./palette.tsx').then(
      (part) => (Palette.value = part.Palette),
      () => {
        isOpen.value = false;
        changes.say('The commands could not be read: the network is away, or a new version is there.', true);
      },
    );
  }, [isOpen.value]);
  return isOpen.value && Palette.value && <Palette.value close={() => (isOpen.value = false)} />;
}
