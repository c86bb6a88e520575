import { useSignal } from '@preact/signals';
import { LocationProvider, Route, Router, useLocation } from 'preact-iso';
import { createRef } from 'preact';
import { Door, SignIn } from './account/door.tsx';
import { ApiError, logout, untilIdle } from './api.ts';
import * as Icon from './icons.tsx';
import { Reminders } from './live/reminders.tsx';
import { Bars } from './parts/bars.tsx';
import { useCommands } from './parts/commands.ts';
import { Menu } from './parts/menu.tsx';
import { Dialog } from './parts/dialog.tsx';
import { isKeysOpen, Keys } from './parts/keys.tsx';
import { NewVersion } from './parts/new-version.tsx';
import { openPalette, PaletteOpener } from './parts/palette-opener.tsx';
import { useShortcuts } from './parts/shortcuts.ts';
import { StateLine } from './parts/state-line.tsx';
import { offered, places } from './places.ts';
import { hasEvents, session, zone } from './session.ts';
import { changes, signOut } from './state.ts';
import { AllScreen } from './tasks/screens.tsx';
import { Detail } from './tasks/detail.tsx';
import { SEARCH } from './tasks/search.ts';
import { isUnsaved } from './tasks/unsaved.ts';
import { QuickAdd } from './tasks/quick-add-line.tsx';

export function App() {
  const { value } = session;
  const { is } = value;
  if (is === 'unknown')
    return (
      <p class="hint center" aria-busy="true">
        {changes.trouble.value ? 'TaskFlow cannot be reached. Trying again …' : 'TaskFlow …'}
      </p>
    );
  if (is === 'out')
    return (
      <main>
        <Door />
      </main>
    );
  return (
    <LocationProvider key={value.person.id}>
      <Frame />
      {is === 'ended' && (
        <Dialog label="Please sign in again" isFirm>
          <SignIn again />
        </Dialog>
      )}
    </LocationProvider>
  );
}

const quickAdd = createRef<HTMLInputElement>();

function Frame() {
  const { route, query } = useLocation();
  const add = () => quickAdd.current?.focus();
  const showKeys = () => void (isKeysOpen.value = true);
  useCommands(() => [
    { name: 'Add a task', key: 'q', act: add },
    ...(hasEvents.value ? [{ name: 'Search', key: '/', act: () => search(route) }] : []),
    ...(changes.undo.value ? [{ name: `Undo: ${changes.undo.value.text}`, key: 'z', act: changes.takeBack }] : []),
    ...offered.value
      .filter(({ path }) => path !== SEARCH) // it stands above, ready to be typed in
      .map(({ name, key, path }) => ({ name: `Go to ${name}`, key: `g ${key}`, act: () => route(path) })),
    { name: 'Show all keys', key: '?', act: showKeys },
    { name: 'Sign out', act: () => void leaveForGood() },
  ]);
  useShortcuts({
    q: add,
    '/': () => hasEvents.value && search(route),
    '[Shift]+?': showKeys,
    // All of them: which keys there are is settled once, and who is signed in may change.
    ...Object.fromEntries(
      places.map(({ path, key }) => [
        `g ${key}`,
        () => offered.value.some((place) => place.path === path) && route(path),
      ]),
    ),
  });
  return (
    <div class={`frame${query.task || isUnsaved.value ? ' has-detail' : ''}`}>
      <a class="skip" href="#content">
        Skip to the list
      </a>
      <Rail />
      <main id="content" tabIndex={-1}>
        <QuickAdd input={quickAdd} />
        <Reminders />
        <Router>
          {[
            ...(hasEvents.value ? [] : [<Route key="plain" path="/" component={AllScreen} />]),
            ...offered.value.map(({ path, screen }) => <Route key={path} path={path} component={screen} />),
            <Route key="none" default component={Nowhere} />,
          ]}
        </Router>
      </main>
      <Detail />
      <Bars />
      <Keys places={offered.value} />
      <PaletteOpener />
    </div>
  );
}

function Rail() {
  const { path, route } = useLocation();
  const rest = useSignal<HTMLElement | null>(null);
  const { value } = session;
  return (
    <header class="rail">
      <p class="brand">
        <Icon.Mark />
        <span>TaskFlow</span>
      </p>
      <button class="to-palette" onClick={openPalette}>
        <Icon.Search />
        <span>Search or do</span>
        <kbd>Ctrl K</kbd>
      </button>
      <nav aria-label="Lists">
        {offered.value.map(({ path: to, name, key, icon: Drawn, count, isRare }) => (
          <a
            key={to}
            href={to}
            class={isRare ? 'is-rare' : ''}
            aria-current={path === to ? 'page' : undefined}
            title={`g ${key}`}
          >
            <Drawn />
            {name}
            <span class="number">{count?.() || ''}</span>
          </a>
        ))}
        <button class="rest" aria-haspopup="menu" onClick={({ currentTarget }) => (rest.value = currentTarget)}>
          <Icon.More />
          More
        </button>
      </nav>
      {rest.value && (
        <Menu
          at={rest.value}
          label="More lists"
          items={[
            { name: 'Search or do …', act: openPalette },
            ...offered.value
              .filter(({ isRare }) => isRare)
              .map(({ name, path: to }) => ({ name, act: () => route(to) })),
            { name: 'Sign out', isApart: true, act: () => void leaveForGood() },
          ]}
          close={() => (rest.value = null)}
        />
      )}
      <div class="foot">
        <NewVersion />
        <StateLine />
        <p class="who" title={`Times are in ${zone.value}`}>
          {value.is === 'in' || value.is === 'ended' ? value.person.email : ''}
        </p>
        <button class="quiet" title="Sign out" onClick={() => void leaveForGood()}>
          <Icon.Leave />
          <span>Sign out</span>
        </button>
      </div>
    </header>
  );
}

/** A screen that comes takes the focus to its field by itself. */
function search(route: (path: string) => void): void {
  route(SEARCH);
  document.getElementById('search')?.focus();
}

/** What is read while one leaves would be refused; in a slow network nobody waits longer for it. */
const READ_MS = 3_000;

/** Whoever leaves takes nothing with him that is not saved, and is told when he has not left. */
async function leaveForGood(): Promise<void> {
  if (isUnsaved.value) return changes.say('The open task is not saved yet: save it or close it first.', true);
  try {
    await untilIdle(READ_MS);
    await changes.settled(); // what was done meanwhile, too
    await logout();
    signOut();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    changes.say(`You are still signed in. ${error.message}`, true);
  }
}

function Nowhere() {
  return (
    <div class="empty">
      <h1>There is nothing here</h1>
      <p>
        <a href="/">Go to Today</a>
      </p>
    </div>
  );
}
