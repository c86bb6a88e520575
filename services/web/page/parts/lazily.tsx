import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';

/** A screen that few people open, so that the first list need not wait for it: fetched when it is. */
export function lazily(load: () => Promise<ComponentType>): ComponentType {
  let loaded: ComponentType | undefined;
  return function Later() {
    const Screen = useSignal(loaded);
    const isLost = useSignal(false);
    useEffect(() => {
      load().then(
        (screen) => (Screen.value = loaded = screen),
        () => (isLost.value = true), // the network, or a newer page that has other files
      );
    }, []);
    if (Screen.value) return <Screen.value />;
    return isLost.value ? (
      <p class="refusal" role="alert">
        This screen did not come.{' '}
        <a href={location.pathname + location.search} target="_self">
          Load the page again
        </a>
      </p>
    ) : (
      <p class="hint">Reading …</p>
    );
  };
}
