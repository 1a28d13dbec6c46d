// One user's browser: what it knows of the session, what its user can do, what can happen to it, what it was told.

import { useSession, type UseSession } from '@roomcast/react';
import { useState } from 'react';

import { useStore } from '../store';
import { host } from '../browsers/edges';
import type { Visitor } from '../browsers/simulated-browser';
import { Connection } from './connection-status';
import { EventLog } from './event-log';
import { Feedback } from './feedback';
import { CrossIcon } from './icons';
import { Mishaps } from './faults';
import { Face, RoleChip } from './avatar';
import { RolePicker } from './role-picker';
import { SessionView } from './session-view';
import { Standing } from './session-notices';

interface BrowserCardProps {
  readonly visitor: Visitor;
  readonly onClose: () => void;
}

export function BrowserCard({ visitor, onClose }: BrowserCardProps) {
  const { user } = visitor;
  // Another number is another membership: the session is left and joined anew.
  const [membership, setMembership] = useState(0);
  return (
    <article className="browser" aria-labelledby={`browser-${user}`} data-user={user}>
      <Joined
        key={membership}
        visitor={visitor}
        onClose={onClose}
        onJoinAgain={() => setMembership(membership + 1)}
      />
    </article>
  );
}

interface JoinedProps extends BrowserCardProps {
  readonly onJoinAgain: () => void;
}

function Joined({ visitor, onClose, onJoinAgain }: JoinedProps) {
  const session = useSession(visitor.session);
  return (
    <>
      <Bar visitor={visitor} session={session} onClose={onClose} />
      <div className="browser-body">
        <Standing visitor={visitor} session={session} onJoinAgain={onJoinAgain} />
        <SessionView user={visitor.user} session={session} />
        <div className="browser-acts">
          <RolePicker user={visitor.user} role={session.status === 'joined' ? session.role : undefined} />
          <Feedback user={visitor.user} due={session.feedbackDue} onGiven={session.settleFeedback} />
        </div>
        <Mishaps visitor={visitor} connected={session.connection.status === 'connected'} />
      </div>
      <EventLog visitor={visitor} />
    </>
  );
}

interface BarProps {
  readonly visitor: Visitor;
  readonly session: UseSession;
  readonly onClose: () => void;
}

function Bar({ visitor, session, onClose }: BarProps) {
  const { user } = visitor;
  const edge = useStore(visitor.edge);
  const cursor = useStore(visitor.cursor);
  return (
    <header className="browser-bar">
      <Face user={user} />
      <div className="browser-name">
        <h3 id={`browser-${user}`}>{user}</h3>
        {session.status === 'joined' && <RoleChip role={session.role} />}
      </div>
      <button
        type="button"
        className="button quiet icon-only"
        onClick={onClose}
        aria-label={`Close ${user}’s browser`}
      >
        <CrossIcon />
      </button>
      <div className="browser-where">
        <Connection state={session.connection} />
        <span>
          {edge.name} <span className="address">{host(edge)}</span>
        </span>
        <span title="The last position of the session's log that this browser has">
          cursor <b>{cursor === undefined ? 'none' : `#${cursor.offset}`}</b>
        </span>
      </div>
    </header>
  );
}
