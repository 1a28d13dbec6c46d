// The mock interview that a first-time visitor begins with.

import type { Outcome } from './backend/bridge';
import type { Seat } from './backend/requests';
import type { Journal } from './backend/call-history';

export const MOCK_SEATS: readonly Seat[] = [
  { userId: 'alice', role: 'ROLE_INTERVIEWER' },
  { userId: 'bob', role: 'ROLE_INTERVIEWEE' },
  { userId: 'carol', role: 'ROLE_OBSERVER' },
];

export const STATUSES: readonly string[] = ['scheduled', 'running', 'finished'];

// A name that is short, and new every time.
export function newSession(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
  const letters = crypto.getRandomValues(new Uint8Array(4));
  return `mock-${[...letters].map((byte) => alphabet.charAt(byte % alphabet.length)).join('')}`;
}

export function createSession(journal: Journal, id: string, seats: readonly Seat[]): Promise<Outcome> {
  const attributes = { topic: 'Distributed systems', level: 'senior' };
  const session = { id, status: 'scheduled', participants: { list: seats }, attributes };
  return journal.make('Create the session', 'PublishSessionUpdate', { session });
}
