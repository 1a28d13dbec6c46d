// The location of the page: a session, and the users whose browsers are open. It is stored in the URL, so that a reload,
// a bookmark or a second tab shows the same page.

import { isId } from './id';
import { Store } from './store';

export interface PageLocation {
  readonly session: string;
  readonly users: readonly string[];
}

export const pageLocation = new Store<PageLocation | undefined>(parseQuery(location.search));

export function navigate(next: PageLocation | undefined): void {
  history.pushState(null, '', next === undefined ? location.pathname : `?${queryOf(next)}`);
  pageLocation.set(next);
}

// Opens or closes browsers without a new entry in the history.
export function setUsers(users: readonly string[]): void {
  const current = pageLocation.getSnapshot();
  if (current === undefined) return;
  const next = { ...current, users };
  history.replaceState(null, '', `?${queryOf(next)}`);
  pageLocation.set(next);
}

window.addEventListener('popstate', () => pageLocation.set(parseQuery(location.search)));

function parseQuery(query: string): PageLocation | undefined {
  const parameters = new URLSearchParams(query);
  const session = parameters.get('session') ?? '';
  if (!isId(session)) return undefined;
  const users = (parameters.get('users') ?? '').split(',').filter(isId);
  return { session, users: [...new Set(users)] };
}

// Escapes as little as a URL allows, because users read it.
function queryOf({ session, users }: PageLocation): string {
  const list = users.map(encodeURIComponent).join(',');
  return `session=${encodeURIComponent(session)}${list === '' ? '' : `&users=${list}`}`;
}
