// Where the person is: a session, and whose browsers are open. It stands in the URL, so that a reload, a bookmark
// and a second tab find it again.

import { Store } from './store';

export interface Place {
  readonly session: string;
  readonly users: readonly string[];
}

// What ids of sessions, users and feedback are made of, as in the API.
export const ID_PATTERN = '[A-Za-z0-9._~@:+\\-]{1,128}';

const ID = new RegExp(`^${ID_PATTERN}$`);

export function isId(text: string): boolean {
  return ID.test(text);
}

export const place = new Store<Place | undefined>(placeOf(location.search));

export function go(next: Place | undefined): void {
  history.pushState(null, '', next === undefined ? location.pathname : `?${search(next)}`);
  place.set(next);
}

// Opens or closes a browser; no step of its own in the history.
export function setUsers(users: readonly string[]): void {
  const now = place.read();
  if (now === undefined) return;
  const next = { ...now, users };
  history.replaceState(null, '', `?${search(next)}`);
  place.set(next);
}

window.addEventListener('popstate', () => place.set(placeOf(location.search)));

export function placeOf(text: string): Place | undefined {
  const given = new URLSearchParams(text);
  const session = given.get('session') ?? '';
  if (!isId(session)) return undefined;
  const users = (given.get('users') ?? '').split(',').filter(isId);
  return { session, users: [...new Set(users)] };
}

// As few escapes as a URL allows, since people read it.
export function search({ session, users }: Place): string {
  const list = users.map(encodeURIComponent).join(',');
  return `session=${encodeURIComponent(session)}${list === '' ? '' : `&users=${list}`}`;
}
