import { effect, signal } from '@preact/signals';

// What a person has chosen for this device alone.

const THEME = 'taskflow.theme';
const KEYS = 'taskflow.single-keys';
const TITLES = 'taskflow.hide-titles';

export type Theme = 'device' | 'light' | 'dark';

export const theme = signal<Theme>('device');
/** Single keys may be in the way of who speaks to the machine (WCAG 2.1.4). */
export const hasSingleKeys = signal(true);
/** Whether what others could read over a shoulder is left out of notifications. */
export const hidesTitles = signal(false);

function read(): void {
  theme.value = (localStorage.getItem(THEME) as Theme | null) ?? 'device';
  hasSingleKeys.value = localStorage.getItem(KEYS) !== 'off';
  hidesTitles.value = localStorage.getItem(TITLES) === 'on';
}

read();
addEventListener('storage', read); // chosen in another tab

effect(() => {
  if (theme.value === 'device') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
  keep(THEME, theme.value === 'device' ? null : theme.value);
});
effect(() => keep(TITLES, hidesTitles.value ? 'on' : null));
effect(() => keep(KEYS, hasSingleKeys.value ? null : 'off'));

function keep(name: string, value: string | null): void {
  if (value === null) localStorage.removeItem(name);
  else localStorage.setItem(name, value);
}
