// The page: a welcome, or the session that its URL names.

import { useEffect, useMemo, useState } from 'react';

import { words } from './backend/bridge';
import { Journal } from './backend/call-history';
import { Header } from './components/header';
import { Notice } from './components/notice';
import { SessionPage } from './components/session-page';
import { Welcome } from './components/welcome';
import { place } from './page-location';
import { useStore } from './store';
import { Workshop, WorkshopProvider } from './playground-session';

export function App() {
  const [journal] = useState(() => new Journal());
  const [trouble, setTrouble] = useState<string>();
  const now = useStore(place);
  const about = useStore(journal.reach);
  const session = now?.session;
  const mints = about?.mints;

  useEffect(() => {
    journal.learn().catch((error: unknown) => setTrouble(words(error)));
  }, [journal]);

  useEffect(() => {
    document.title = session === undefined ? 'Roomcast playground' : `${session} · Roomcast playground`;
  }, [session]);

  const workshop = useMemo(
    () => (session === undefined || mints === undefined ? undefined : new Workshop(session, journal, mints)),
    [session, journal, mints],
  );

  return (
    <>
      <Header session={session} about={about} />
      <main id="main" className="page">
        {trouble !== undefined && (
          <Notice tone="bad" title="The bridge of roomcast dev does not answer">
            {trouble}
          </Notice>
        )}
        {session === undefined && <Welcome journal={journal} />}
        {workshop !== undefined && (
          <WorkshopProvider value={workshop}>
            <SessionPage key={workshop.session} users={now?.users ?? []} />
          </WorkshopProvider>
        )}
      </main>
    </>
  );
}
