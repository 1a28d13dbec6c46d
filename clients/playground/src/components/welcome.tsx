// The welcome page, with a button that starts a mock interview.

import { useState, type FormEvent } from 'react';

import type { CallHistory } from '../backend/call-history';
import { ID_PATTERN } from '../id';
import { createSession, MOCK_PARTICIPANTS, newSessionId } from '../mock-interview';
import { navigate } from '../page-location';
import { Avatar } from './avatar';
import { CatchUpPicture } from './catch-up-picture';
import { HowItWorks } from './how-it-works';
import { PlayIcon } from './icons';
import { Notice } from './notice';

const MOCK_USERS = MOCK_PARTICIPANTS.map(({ userId }) => userId);

export function Welcome({ history }: { readonly history: CallHistory }) {
  return (
    <div className="welcome">
      <section className="hero" aria-labelledby="hero-title">
        <div className="hero-text">
          <h1 id="hero-title">Your backend makes one call. Every browser receives the event.</h1>
          <p className="lede">
            This is a complete Roomcast in one process. Open several browsers side by side, act as the
            backend, and cut the connection of one browser: it receives every missed event exactly once.
          </p>
          <StartMockInterview history={history} />
        </div>
        <CatchUpPicture />
      </section>
      <HowItWorks />
      <OpenSession />
    </div>
  );
}

function StartMockInterview({ history }: { readonly history: CallHistory }) {
  const [isStarting, setStarting] = useState(false);
  const [error, setError] = useState<string>();

  const start = async () => {
    setStarting(true);
    const session = newSessionId();
    const outcome = await createSession(history, session, MOCK_PARTICIPANTS);
    setStarting(false);
    if (outcome.ok) navigate({ session, users: MOCK_USERS });
    else setError(`${outcome.code}: ${outcome.message}`);
  };

  return (
    <>
      <div className="hero-actions">
        <button
          type="button"
          className="button primary large"
          onClick={() => void start()}
          disabled={isStarting}
        >
          <PlayIcon />
          Start a mock interview
        </button>
        <p className="mock-users">
          <span className="avatars">
            {MOCK_USERS.map((user) => (
              <Avatar key={user} user={user} small />
            ))}
          </span>
          with alice as interviewer, bob as interviewee and carol as observer
        </p>
      </div>
      {error !== undefined && (
        <Notice tone="bad" title="The session was not created">
          {error}
        </Notice>
      )}
    </>
  );
}

function OpenSession() {
  const open = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const session = String(data.get('session'));
    const user = String(data.get('user'));
    navigate({ session, users: user === '' ? [] : [user] });
  };
  return (
    <section className="open" aria-labelledby="open-title">
      <h2 id="open-title">Or open your own session</h2>
      <p className="hint">
        It can be any session that your backend has created or will create. In a second tab you can open it as
        another user.
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
