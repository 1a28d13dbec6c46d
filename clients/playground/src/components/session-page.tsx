// The page of one session: its record at the top, the browsers side by side, and the backend beside them.

import { useEffect } from 'react';

import { usePlaygroundSession } from '../use-playground-session';
import { BackendPanel } from './backend-panel';
import { Browsers } from './browsers';
import { SessionBar } from './session-bar';
import { Tour } from './tour';

// Another backend may change the session without an event to the browsers of this page.
const READ_INTERVAL_MS = 2_000;

export function SessionPage({ users }: { readonly users: readonly string[] }) {
  const { browsers, record } = usePlaygroundSession();

  useEffect(() => {
    record.scheduleRead();
    const interval = setInterval(() => {
      if (document.visibilityState === 'visible') record.scheduleRead();
    }, READ_INTERVAL_MS);
    return () => {
      clearInterval(interval);
      browsers.closeAll();
    };
  }, [browsers, record]);
  useEffect(() => browsers.show(users), [browsers, users]);

  return (
    <div className="session-page">
      <SessionBar users={users} />
      <Tour />
      <nav className="jump" aria-label="On this page">
        <a href="#browsers">Browsers</a>
        <a href="#backend">Backend</a>
      </nav>
      <div className="columns">
        <Browsers users={users} />
        <BackendPanel />
      </div>
    </div>
  );
}
