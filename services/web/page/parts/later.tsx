import { lazy } from 'preact-iso';
import type { ComponentType } from 'preact';

/** A screen that is read when it is first gone to, since few go there. */
export const later = <Props,>(load: () => Promise<{ default: ComponentType<Props> }>) =>
  lazy(() => load().catch((): { default: ComponentType<Props> } => ({ default: Unread })));

/** Its file is gone, as after a new version was rolled out, or the network is. */
function Unread() {
  return (
    <div class="empty">
      <h1>This screen could not be read</h1>
      <p>The network may be away, or a new version is there.</p>
      <button class="plain" onClick={() => location.reload()}>
        Load the page anew
      </button>
    </div>
  );
}
