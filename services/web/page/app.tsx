import { LocationProvider, Route, Router, useLocation } from 'preact-iso';
import { type ComponentType, createRef } from 'preact';
import { SignIn } from './account/sign-in.tsx';
import { logout } from './api.ts';
import * as Icon from './icons.tsx';
import { Reminders } from './live/reminders.tsx';
import { Bars } from './parts/bars.tsx';
import { Dialog } from './parts/dialog.tsx';
import { isKeysOpen, Keys } from './parts/keys.tsx';
import { useShortcuts } from './parts/shortcuts.ts';
import { StateLine } from './parts/state-line.tsx';
import { session, zone } from './session.ts';
import { changes, now, signOut, store } from './state.ts';
import { AllScreen, TodayScreen } from './tasks/screens.tsx';
import { Detail } from './tasks/detail.tsx';
import { QuickAdd } from './tasks/quick-add-line.tsx';
import { allOf, todayOf } from './tasks/views.ts';

type Place = {
  path: string;
  name: string;
  key: string;
  icon: ComponentType;
  screen: ComponentType;
  count: () => number;
};

const total = (groups: { tasks: unknown[] }[]) => groups.reduce((sum, { tasks }) => sum + tasks.length, 0);
const moment = () => ({ now: now.value, zone: zone.value });
const places: Place[] = [
  {
    path: '/',
    name: 'Today',
    key: 't',
    icon: Icon.Today,
    screen: TodayScreen,
    count: () => total(todayOf(store.tasks.value.values(), moment())),
  },
  {
    path: '/all',
    name: 'All',
    key: 'a',
    icon: Icon.All,
    screen: AllScreen,
    count: () => total(allOf(store.tasks.value.values())),
  },
];

export function App() {
  const { is } = session.value;
  if (is === 'unknown')
    return (
      <p class="hint center" aria-busy="true">
        TaskFlow …
      </p>
    );
  if (is === 'out')
    return (
      <main>
        <SignIn />
      </main>
    );
  return (
    <LocationProvider>
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
  useShortcuts({
    q: () => quickAdd.current?.focus(),
    z: changes.takeBack,
    '[Shift]+?': () => (isKeysOpen.value = true),
    ...Object.fromEntries(places.map(({ path, key }) => [`g ${key}`, () => route(path)])),
  });
  return (
    <div class={`frame${query.task ? ' has-detail' : ''}`}>
      <a class="skip" href="#content">
        Skip to the list
      </a>
      <Rail />
      <main id="content" tabIndex={-1}>
        <QuickAdd input={quickAdd} />
        <Reminders />
        <Router>
          {[
            ...places.map(({ path, screen }) => <Route key={path} path={path} component={screen} />),
            <Route key="none" default component={Nowhere} />,
          ]}
        </Router>
      </main>
      <Detail />
      <Bars />
      <Keys places={places} />
    </div>
  );
}

function Rail() {
  const { path } = useLocation();
  const { value } = session;
  return (
    <header class="rail">
      <p class="brand">
        <Icon.Mark />
        <span>TaskFlow</span>
      </p>
      <nav aria-label="Lists">
        {places.map(({ path: to, name, key, icon: Drawn, count }) => (
          <a key={to} href={to} aria-current={path === to ? 'page' : undefined} title={`g ${key}`}>
            <Drawn />
            {name}
            <span class="number">{count() || ''}</span>
          </a>
        ))}
      </nav>
      <div class="foot">
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

async function leaveForGood(): Promise<void> {
  changes.flush();
  await logout();
  signOut();
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
