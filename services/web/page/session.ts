import { signal } from '@preact/signals';
import * as api from './api.ts';

/**
 * Who is signed in. `ended`: he was, and what he was doing stays on the page until he is again. `why` he is out is said where
 * it was not he who did it here.
 */
export type Session = { is: 'unknown' } | { is: 'out'; why?: string } | { is: 'in' | 'ended'; person: api.Person };

/** Addresses for who is not signed in; nothing is there for who is. */
export const DOORS = ['/sign-up', '/reset'];

const KEPT = 'taskflow.person';
const SIGNED_OUT = 'taskflow.signed-out';

const zoneOfDevice = Intl.DateTimeFormat().resolvedOptions().timeZone;

export const session = signal<Session>(start());
/** Of the user; all days and times of the page are in it. */
export const zone = signal(zoneOfDevice);
/** False with `EVENTS=off`: there are plain tasks and nothing else. */
export const hasEvents = signal(true);

/** No request for who has never signed in here: an answer that refuses stands red in every console. */
function start(): Session {
  return localStorage.getItem(KEPT) === null ? { is: 'out' } : { is: 'unknown' };
}

/** Finds out who is signed in, and his zone. @throws {ApiError} when the server is away */
export async function resume(): Promise<void> {
  try {
    await enter(await api.me());
  } catch (error) {
    const isOut = error instanceof api.ApiError && (error.status === 401 || error.status === 404);
    if (!isOut || session.value.is === 'ended') throw error;
    if (session.value.is !== 'out') leave(); // else it was left with the reason
  }
}

async function enter(person: api.Person): Promise<void> {
  localStorage.setItem(KEPT, person.id);
  const own = await api.timezone();
  hasEvents.value = own !== undefined;
  zone.value = own ?? zoneOfDevice;
  if (own === null) await api.setTimezone(zone.value); // none was ever chosen
  const { value } = session;
  const isOther = value.is === 'ended' && value.person.id !== person.id;
  if (isOther) session.value = { is: 'out' }; // what stands here is another's, as is what the address names
  if (isOther || DOORS.includes(location.pathname)) history.replaceState(null, '', '/');
  session.value = { is: 'in', person };
}

export async function signIn(email: string, password: string): Promise<void> {
  await api.login(email, password);
  await enter(await api.me());
}

/** Makes an account and enters it. */
export async function signUp(email: string, password: string, code: string): Promise<void> {
  const invitation = code ? { invite_code: code } : {};
  await api.signUp({ email, password, timezone: zoneOfDevice, ...invitation });
  await enter(await api.me());
}

export async function signInAsDemo(): Promise<void> {
  await api.loginAsDemo();
  await enter(await api.me());
}

/** The session has ended by itself: who was at work signs in over his page. */
export function expire(): void {
  const { value } = session;
  if (value.is === 'in') session.value = { is: 'ended', person: value.person };
  else if (value.is === 'unknown') leave('Your session has ended.');
}

/** Tells the other tabs, with a worker or without; nothing stays written. */
export function saySignedOut(): void {
  localStorage.setItem(SIGNED_OUT, 'now');
  localStorage.removeItem(SIGNED_OUT);
}

/** Whether another tab says so. */
export const isSignedOut = ({ key, newValue }: Pick<StorageEvent, 'key' | 'newValue'>): boolean =>
  key === SIGNED_OUT && newValue !== null && session.value.is !== 'out';

/** Whether another person has signed in in another tab: this one's requests are his from now on. */
export const isOthers = ({ key, newValue }: Pick<StorageEvent, 'key' | 'newValue'>): boolean =>
  key === KEPT && newValue !== null && 'person' in session.value && newValue !== session.value.person.id;

export function leave(why?: string): void {
  if (!isOthers({ key: KEPT, newValue: localStorage.getItem(KEPT) })) localStorage.removeItem(KEPT);
  session.value = { is: 'out', ...(why && { why }) };
}

api.onSignedOut(expire);
