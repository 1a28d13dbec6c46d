// The session as the control plane has it, and its log.

import { useState } from 'react';

import type { SessionFacts } from '../backend/session-record';
import { createSession, MOCK_SEATS, STATUSES } from '../mock-interview';
import { useStore } from '../store';
import { useWorkshop } from '../playground-session';
import { Attributes } from './attributes';
import { LogTrack } from './log-track';
import { Notice } from './notice';

export function SessionBar({ users }: { readonly users: readonly string[] }) {
  const workshop = useWorkshop();
  const known = useStore(workshop.record.known);
  return (
    <section className="session-bar" aria-labelledby="session-title">
      <div className="session-head">
        <div className="session-name">
          <p className="eyebrow">Session</p>
          <h1 id="session-title">{workshop.session}</h1>
        </div>
        {known.state === 'known' && <StatusPicker status={known.status} />}
      </div>
      {known.state === 'known' && <Facts facts={known} />}
      {known.state === 'missing' && <Missing users={users} />}
      {known.state === 'unreachable' && (
        <Notice tone="bad" title="The control plane does not answer">
          {known.why}
        </Notice>
      )}
    </section>
  );
}

// A click publishes: everybody in the session is told.
function StatusPicker({ status }: { readonly status: string }) {
  const workshop = useWorkshop();
  const [asked, setAsked] = useState<string>();
  const choose = async (next: string) => {
    setAsked(next);
    await workshop.setStatus(next);
    setAsked(undefined);
  };
  const listed = STATUSES.includes(status) ? STATUSES : [...STATUSES, status];
  return (
    <div className="steps" role="group" aria-label="Status">
      {listed.map((one) => (
        <button
          key={one}
          type="button"
          className="step"
          aria-pressed={one === status}
          data-asked={one === asked}
          onClick={() => void choose(one)}
        >
          {one}
        </button>
      ))}
    </div>
  );
}

function Facts({ facts }: { readonly facts: SessionFacts }) {
  return (
    <div className="session-facts">
      <LogTrack tail={facts.tail} epoch={facts.epoch} />
      <dl className="facts">
        <div>
          <dt>Revision</dt>
          <dd>{facts.revision}</dd>
        </div>
        <div>
          <dt>Feedback owed by</dt>
          <dd>{facts.owing.length === 0 ? 'nobody' : facts.owing.join(', ')}</dd>
        </div>
        <Attributes of={facts.attributes} />
      </dl>
    </div>
  );
}

function Missing({ users }: { readonly users: readonly string[] }) {
  const { journal, session, record } = useWorkshop();
  const seats = users.length === 0 ? MOCK_SEATS : users.map((userId, at) => ({ userId, role: roleOf(at) }));
  const create = async () => {
    await createSession(journal, session, seats);
    record.touch();
  };
  return (
    <Notice
      tone="warn"
      title="There is no such session"
      actions={
        <button type="button" className="button primary" onClick={() => void create()}>
          Create it
        </button>
      }
    >
      It was never created, or this <code>dev</code> kept its state in memory and was started again. It would
      have {seats.map((seat) => seat.userId).join(', ')} in it.
    </Notice>
  );
}

function roleOf(at: number) {
  return MOCK_SEATS[at]?.role ?? 'ROLE_OBSERVER';
}
