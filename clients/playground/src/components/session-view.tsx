// The session in one browser.

import type { UseSessionResult } from '@roomcast/react';

import type { JsonObject } from '../backend/json';
import { Attributes } from './attributes';
import { Avatar } from './avatar';

const OWN_FIELDS = ['id', 'status', 'participants'];

interface SessionViewProps {
  readonly user: string;
  readonly session: UseSessionResult;
}

export function SessionView({ user, session }: SessionViewProps) {
  if (session.session === undefined || session.status !== 'joined') return null;
  const attributes = Object.entries(session.session).filter(([name]) => !OWN_FIELDS.includes(name));
  return (
    <section className="view" aria-label={`The session in ${user}’s browser`}>
      <p className="view-status">
        <span className="hint">Interview</span> <strong data-field="status">{session.session.status}</strong>
      </p>
      <ul className="view-participants" aria-label="Participants">
        {session.participants.map(({ userId, role }) => (
          <li key={userId} data-role={role}>
            <Avatar user={userId} small />
            <span>{userId === user ? 'you' : userId}</span>
            <span className="view-role">{role}</span>
          </li>
        ))}
      </ul>
      {attributes.length > 0 && (
        <dl className="facts small">
          <Attributes attributes={Object.fromEntries(attributes) as JsonObject} />
        </dl>
      )}
    </section>
  );
}
