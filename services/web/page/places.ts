import { computed } from '@preact/signals';
import type { ComponentType } from 'preact';
import * as Icon from './icons.tsx';
import { unread } from './inbox/notices.ts';
import { InboxScreen } from './inbox/screen.tsx';
import { later } from './parts/later.tsx';
import { hasEvents, session, zone } from './session.ts';
import { now, store } from './state.ts';
import {
  AllScreen,
  DoneScreen,
  OverdueScreen,
  SearchScreen,
  SeriesScreen,
  TodayScreen,
  UpcomingScreen,
} from './tasks/screens.tsx';
import { SEARCH } from './tasks/search.ts';
import { tallyOf } from './tasks/views.ts';

/** A screen that is led to, by its address and its name, by `g` and its key, and by the rail. */
type Place = {
  path: string;
  name: string;
  key: string;
  icon: ComponentType;
  screen: ComponentType;
  count?: () => number;
  /** On a phone it is in a menu. */
  isRare?: boolean;
  /** There with `EVENTS=off`, too. */
  isPlain?: boolean;
  isForAdmins?: boolean;
};

const AuditScreen = later(() => import('./admin/audit.tsx'));
const ServicesScreen = later(() => import('./admin/services.tsx'));
const NextScreen = later(() => import('./tasks/next-screen.tsx'));
const SettingsScreen = later(() => import('./account/settings.tsx'));

const tally = computed(() => tallyOf(store.tasks.value.values(), { now: now.value, zone: zone.value }));
export const places: Place[] = [
  { path: SEARCH, isRare: true, name: 'Search', key: 'f', icon: Icon.Search, screen: SearchScreen },
  {
    path: '/',
    name: 'Today',
    key: 't',
    icon: Icon.Today,
    screen: TodayScreen,
    count: () => tally.value.today,
  },
  {
    path: '/upcoming',
    name: 'Upcoming',
    key: 'u',
    icon: Icon.Upcoming,
    screen: UpcomingScreen,
    count: () => tally.value.upcoming,
  },
  {
    path: '/overdue',
    isRare: true,
    name: 'Overdue',
    key: 'o',
    icon: Icon.Clock,
    screen: OverdueScreen,
    count: () => tally.value.overdue,
  },
  {
    path: '/all',
    isPlain: true,
    name: 'All',
    key: 'a',
    icon: Icon.All,
    screen: AllScreen,
    count: () => tally.value.all,
  },
  {
    path: '/series',
    isRare: true,
    name: 'Series',
    key: 's',
    icon: Icon.Repeat,
    screen: SeriesScreen,
    count: () => tally.value.series,
  },
  { path: '/inbox', name: 'Inbox', key: 'i', icon: Icon.Bell, screen: InboxScreen, count: () => unread.value },
  { path: '/reminders', isRare: true, name: 'Reminders', key: 'r', icon: Icon.Ring, screen: NextScreen },
  { path: '/done', isRare: true, isPlain: true, name: 'Done', key: 'd', icon: Icon.Done, screen: DoneScreen },
  {
    path: '/settings',
    isRare: true,
    isPlain: true,
    name: 'Settings',
    key: ',',
    icon: Icon.Settings,
    screen: SettingsScreen,
  },
  { path: '/audit', isForAdmins: true, isRare: true, name: 'Audit', key: 'h', icon: Icon.Trail, screen: AuditScreen },
  {
    path: '/services',
    isForAdmins: true,
    isRare: true,
    name: 'What runs',
    key: 'w',
    icon: Icon.Pulse,
    screen: ServicesScreen,
  },
];

/** Those of this installation for whoever is signed in. */
export const offered = computed(() => {
  const { value } = session;
  const isAdmin = 'person' in value && value.person.role === 'admin';
  return places.filter(({ isPlain, isForAdmins }) => (isPlain || hasEvents.value) && (isAdmin || !isForAdmins));
});
