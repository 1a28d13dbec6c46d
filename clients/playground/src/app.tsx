// The page: the welcome page, or the session in the URL.

import { useEffect, useMemo, useState } from 'react';

import { CallHistory } from './backend/call-history';
import { Header } from './components/header';
import { Notice } from './components/notice';
import { SessionPage } from './components/session-page';
import { Welcome } from './components/welcome';
import { errorMessage } from './error-message';
import { pageLocation } from './page-location';
import { PlaygroundSession } from './playground-session';
import { PlaygroundSessionProvider } from './use-playground-session';
import { useStore } from './use-store';

export function App() {
  const [history] = useState(() => new CallHistory());
  const [error, setError] = useState<string>();
  const current = useStore(pageLocation);
  const about = useStore(history.about);
  const session = current?.session;
  const mintsTokens = about?.mints;

  useEffect(() => {
    history.loadAbout().catch((cause: unknown) => setError(errorMessage(cause)));
  }, [history]);

  useEffect(() => {
    document.title = session === undefined ? 'Roomcast playground' : `${session} · Roomcast playground`;
  }, [session]);

  const playgroundSession = useMemo(
    () =>
      session === undefined || mintsTokens === undefined
        ? undefined
        : new PlaygroundSession(session, history, mintsTokens),
    [session, history, mintsTokens],
  );

  return (
    <>
      <Header session={session} about={about} />
      <main id="main" className="page">
        {error !== undefined && (
          <Notice tone="bad" title="roomcast dev does not respond">
            {error}
          </Notice>
        )}
        {session === undefined && <Welcome history={history} />}
        {playgroundSession !== undefined && (
          <PlaygroundSessionProvider value={playgroundSession}>
            <SessionPage key={playgroundSession.id} users={current?.users ?? []} />
          </PlaygroundSessionProvider>
        )}
      </main>
    </>
  );
}
