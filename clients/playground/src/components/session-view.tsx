// The session as this browser knows it, from its join and the events since.

import type { UseSession } from '@roomcast/react';

import type { Fields } from '../backend/requests';
import { Attributes } from './attributes';
import { Face } from './avatar';

const OWN = ['id', 'status', 'participants'];

export function SessionView({ user, session }: { readonly user: string; readonly session: UseSession }) {
  if (session.session === undefined || session.status !== 'joined') return null;
  const attributes = Object.entries(session.session).filter(([name]) => !OWN.includes(name));
  return (
    <section className="view" aria-label={`The session as ${user} sees it`}>
      <p className="view-status">
        <span className="hint">Interview</span> <strong data-shown="status">{session.session.status}</strong>
      </p>
      <ul className="view-people" aria-label="Participants">
        {session.participants.map((one) => (
          <li key={one.userId} data-role={one.role}>
            <Face user={one.userId} small />
            <span>{one.userId === user ? 'you' : one.userId}</span>
            <span className="view-role">{one.role}</span>
          </li>
        ))}
      </ul>
      {attributes.length > 0 && (
        <dl className="facts small">
          <Attributes of={Object.fromEntries(attributes) as Fields} />
        </dl>
      )}
    </section>
  );
}
