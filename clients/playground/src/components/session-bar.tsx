// The session in the control plane, and its log.

import { useState } from 'react';

import type { RecordedSession } from '../backend/session-record';
import { createSession, MOCK_PARTICIPANTS, STATUSES } from '../mock-interview';
import { usePlaygroundSession } from '../use-playground-session';
import { useStore } from '../use-store';
import { Attributes } from './attributes';
import { LogTrack } from './log-track';
import { Notice } from './notice';

export function SessionBar({ users }: { readonly users: readonly string[] }) {
  const session = usePlaygroundSession();
  const record = useStore(session.record.state);
  return (
    <section className="session-bar" aria-labelledby="session-title">
      <div className="session-head">
        <div className="session-name">
          <p className="eyebrow">Session</p>
          <h1 id="session-title">{session.id}</h1>
        </div>
        {record.status === 'loaded' && <StatusPicker status={record.session.status} />}
      </div>
      {record.status === 'loaded' && <SessionFacts session={record.session} />}
      {record.status === 'not-found' && <NotFound users={users} />}
      {record.status === 'unreachable' && (
        <Notice tone="bad" title="The control plane does not respond">
          {record.message}
        </Notice>
      )}
    </section>
  );
}

// Selecting a status publishes it to all browsers in the session.
function StatusPicker({ status }: { readonly status: string }) {
  const session = usePlaygroundSession();
  const [pending, setPending] = useState<string>();
  const select = async (next: string) => {
    setPending(next);
    await session.setStatus(next);
    setPending(undefined);
  };
  const options = STATUSES.includes(status) ? STATUSES : [...STATUSES, status];
  return (
    <div className="steps" role="group" aria-label="Status">
      {options.map((option) => (
        <button
          key={option}
          type="button"
          className="step"
          aria-pressed={option === status}
          data-pending={option === pending}
          onClick={() => void select(option)}
        >
          {option}
        </button>
      ))}
    </div>
  );
}

function SessionFacts({ session }: { readonly session: RecordedSession }) {
  const { pendingFeedback } = session;
  return (
    <div className="session-facts">
      <LogTrack tail={session.tail} epoch={session.epoch} />
      <dl className="facts">
        <div>
          <dt>Revision</dt>
          <dd>{session.revision}</dd>
        </div>
        <div>
          <dt>Pending feedback</dt>
          <dd>{pendingFeedback.length === 0 ? 'none' : pendingFeedback.join(', ')}</dd>
        </div>
        <Attributes attributes={session.attributes} />
      </dl>
    </div>
  );
}

function NotFound({ users }: { readonly users: readonly string[] }) {
  const { history, id, record } = usePlaygroundSession();
  const participants =
    users.length === 0 ? MOCK_PARTICIPANTS : users.map((userId, index) => ({ userId, role: roleAt(index) }));
  const create = async () => {
    await createSession(history, id, participants);
    record.scheduleRead();
  };
  return (
    <Notice
      tone="warn"
      title="The session does not exist"
      actions={
        <button type="button" className="button primary" onClick={() => void create()}>
          Create it
        </button>
      }
    >
      No backend has created it, or this <code>roomcast dev</code> keeps its state in memory and was
      restarted. The new session will have these participants:{' '}
      {participants.map(({ userId }) => userId).join(', ')}.
    </Notice>
  );
}

function roleAt(index: number) {
  return MOCK_PARTICIPANTS[index]?.role ?? 'ROLE_OBSERVER';
}
