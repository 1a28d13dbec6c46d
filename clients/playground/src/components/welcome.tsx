// Where a first-time visitor begins: one button, and what it will show.

import { useState, type FormEvent } from 'react';

import type { Journal } from '../backend/call-history';
import { createSession, MOCK_SEATS, newSession } from '../mock-interview';
import { go, ID_PATTERN } from '../page-location';
import { CatchingUp } from './catch-up-picture';
import { PlayIcon } from './icons';
import { Notice } from './notice';
import { Face } from './avatar';
import { Route } from './how-it-works';

const MOCK_USERS = MOCK_SEATS.map((seat) => seat.userId);

export function Welcome({ journal }: { readonly journal: Journal }) {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string>();

  const begin = async () => {
    setBusy(true);
    const session = newSession();
    const outcome = await createSession(journal, session, MOCK_SEATS);
    setBusy(false);
    if (outcome.ok) go({ session, users: MOCK_USERS });
    else setTrouble(`${outcome.code}: ${outcome.message}`);
  };

  return (
    <div className="welcome">
      <section className="hero" aria-labelledby="hero-title">
        <div className="hero-text">
          <h1 id="hero-title">Your backend makes one call. Every browser knows.</h1>
          <p className="lede">
            This is a whole Roomcast in one process. Open a few browsers side by side, act as the backend,
            then pull the plug on one of them and watch it catch up, with nothing lost and nothing twice.
          </p>
          <div className="hero-actions">
            <button
              type="button"
              className="button primary large"
              onClick={() => void begin()}
              disabled={busy}
            >
              <PlayIcon />
              Start a mock interview
            </button>
            <p className="cast">
              <span className="faces">
                {MOCK_USERS.map((user) => (
                  <Face key={user} user={user} small />
                ))}
              </span>
              with alice, bob, and carol watching
            </p>
          </div>
          {trouble !== undefined && (
            <Notice tone="bad" title="The session was not created">
              {trouble}
            </Notice>
          )}
        </div>
        <CatchingUp />
      </section>
      <Route />
      <OpenSession />
    </div>
  );
}

function OpenSession() {
  const open = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const session = String(given.get('session'));
    const user = String(given.get('user'));
    go({ session, users: user === '' ? [] : [user] });
  };
  return (
    <section className="open" aria-labelledby="open-title">
      <h2 id="open-title">Or open a session of your own</h2>
      <p className="hint">
        One that your backend created, or will create. In a second tab, come as somebody else.
      </p>
      <form className="inline-form" onSubmit={open}>
        <label className="field">
          <span>Session</span>
          <input
            name="session"
            required
            pattern={ID_PATTERN}
            defaultValue="demo"
            autoComplete="off"
            spellCheck={false}
          />
        </label>
        <label className="field">
          <span>Sign in as</span>
          <input name="user" pattern={ID_PATTERN} placeholder="alice" autoComplete="off" spellCheck={false} />
        </label>
        <button className="button">Open</button>
      </form>
    </section>
  );
}
