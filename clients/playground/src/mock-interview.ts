// The mock interview with which a new user starts.

import type { Outcome } from './backend/bridge';
import type { CallHistory } from './backend/call-history';
import type { Participant } from './backend/requests';

export const MOCK_PARTICIPANTS: readonly Participant[] = [
  { userId: 'alice', role: 'ROLE_INTERVIEWER' },
  { userId: 'bob', role: 'ROLE_INTERVIEWEE' },
  { userId: 'carol', role: 'ROLE_OBSERVER' },
];

export const STATUSES: readonly string[] = ['scheduled', 'running', 'finished'];

// A short random id.
export function newSessionId(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  return `mock-${[...bytes].map((byte) => alphabet.charAt(byte % alphabet.length)).join('')}`;
}

export function createSession(
  history: CallHistory,
  id: string,
  participants: readonly Participant[],
): Promise<Outcome> {
  const attributes = { topic: 'Distributed systems', level: 'senior' };
  const session = { id, status: 'scheduled', participants: { list: participants }, attributes };
  return history.call('Create the session', 'PublishSessionUpdate', { session });
}
