// One user's browser: its view of the session, the actions of its user, its faults, and its log.

import { useSession, type UseSessionResult } from '@roomcast/react';
import { useState } from 'react';

import { hostOf } from '../browsers/edges';
import type { SimulatedBrowser } from '../browsers/simulated-browser';
import { useStore } from '../use-store';
import { Avatar } from './avatar';
import { ConnectionStatus } from './connection-status';
import { EventLog } from './event-log';
import { Faults } from './faults';
import { Feedback } from './feedback';
import { CrossIcon } from './icons';
import { RoleChip } from './role-chip';
import { RolePicker } from './role-picker';
import { SessionNotices } from './session-notices';
import { SessionView } from './session-view';

interface BrowserCardProps {
  readonly browser: SimulatedBrowser;
  readonly onClose: () => void;
}

export function BrowserCard({ browser, onClose }: BrowserCardProps) {
  const { user } = browser;
  // Another key unmounts the component, so that the session is left and joined again.
  const [joinKey, setJoinKey] = useState(0);
  return (
    <article className="browser" aria-labelledby={`browser-${user}`} data-user={user}>
      <BrowserContent
        key={joinKey}
        browser={browser}
        onClose={onClose}
        onJoinAgain={() => setJoinKey(joinKey + 1)}
      />
    </article>
  );
}

interface BrowserContentProps extends BrowserCardProps {
  readonly onJoinAgain: () => void;
}

function BrowserContent({ browser, onClose, onJoinAgain }: BrowserContentProps) {
  const session = useSession(browser.sessionId);
  const { user } = browser;
  return (
    <>
      <TitleBar browser={browser} session={session} onClose={onClose} />
      <div className="browser-body">
        <SessionNotices browser={browser} session={session} onJoinAgain={onJoinAgain} />
        <SessionView user={user} session={session} />
        <div className="browser-actions">
          <RolePicker user={user} role={session.status === 'joined' ? session.role : undefined} />
          <Feedback user={user} isPending={session.pendingFeedback} onSubmitted={session.settleFeedback} />
        </div>
        <Faults browser={browser} connected={session.connection.status === 'connected'} />
      </div>
      <EventLog browser={browser} />
    </>
  );
}

interface TitleBarProps {
  readonly browser: SimulatedBrowser;
  readonly session: UseSessionResult;
  readonly onClose: () => void;
}

function TitleBar({ browser, session, onClose }: TitleBarProps) {
  const { user } = browser;
  const edge = useStore(browser.edge);
  const cursor = useStore(browser.cursor);
  return (
    <header className="browser-bar">
      <Avatar user={user} />
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
      <div className="browser-connection">
        <ConnectionStatus state={session.connection} />
        <span>
          {edge.name} <span className="address">{hostOf(edge)}</span>
        </span>
        <span title="The last position in the session’s log that this browser received">
          cursor <b>{cursor === undefined ? 'none' : `#${cursor.offset}`}</b>
        </span>
      </div>
    </header>
  );
}
