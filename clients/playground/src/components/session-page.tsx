// One session: its record on top, browsers side by side, the backend beside them.

import { useEffect } from 'react';

import { useWorkshop } from '../playground-session';
import { Backend } from './backend-panel';
import { Browsers } from './browsers';
import { SessionBar } from './session-bar';
import { Tour } from './tour';

// A backend elsewhere may change what no browser here is told of.
const LOOK_MS = 2_000;

export function SessionPage({ users }: { readonly users: readonly string[] }) {
  const { crowd, record } = useWorkshop();

  useEffect(() => {
    record.touch();
    const look = setInterval(() => {
      if (document.visibilityState === 'visible') record.touch();
    }, LOOK_MS);
    return () => {
      clearInterval(look);
      crowd.close();
    };
  }, [crowd, record]);
  useEffect(() => crowd.show(users), [crowd, users]);

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
        <Backend />
      </div>
    </div>
  );
}
