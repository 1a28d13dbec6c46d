// The open browsers side by side, and the form that opens another one.

import { SocketProvider } from '@roomcast/react';
import { useState, type FormEvent } from 'react';

import { ID_PATTERN } from '../id';
import { setUsers } from '../page-location';
import { usePlaygroundSession } from '../use-playground-session';
import { useStore } from '../use-store';
import { BrowserCard } from './browser-card';
import { PlusIcon } from './icons';

export function Browsers({ users }: { readonly users: readonly string[] }) {
  const { browsers } = usePlaygroundSession();
  const open = useStore(browsers.open);
  return (
    <section className="browsers" id="browsers" aria-labelledby="browsers-title">
      <div className="section-head">
        <h2 id="browsers-title">Browsers</h2>
        <p className="hint">Each browser has its own connection, as on a separate machine.</p>
      </div>
      <div className="browser-grid">
        {open.map((browser) => (
          <SocketProvider key={browser.user} client={browser.client}>
            <BrowserCard
              browser={browser}
              onClose={() => setUsers(users.filter((user) => user !== browser.user))}
            />
          </SocketProvider>
        ))}
        <SignIn users={users} />
      </div>
    </section>
  );
}

function SignIn({ users }: { readonly users: readonly string[] }) {
  const { record } = usePlaygroundSession();
  const state = useStore(record.state);
  const [user, setUser] = useState('');
  const participants = state.status === 'loaded' ? state.session.participants : [];
  const absent = participants.map(({ userId }) => userId).filter((userId) => !users.includes(userId));
  const isOpen = users.includes(user);

  const add = (event: FormEvent) => {
    event.preventDefault();
    if (isOpen) return;
    setUsers([...users, user]);
    setUser('');
  };

  return (
    <div className="sign-in">
      <h3 id="sign-in-title">Open another browser</h3>
      <form className="inline-form" onSubmit={add} aria-labelledby="sign-in-title">
        <label className="field">
          <span>Sign in as</span>
          <input
            required
            pattern={ID_PATTERN}
            value={user}
            onChange={(event) => setUser(event.target.value)}
            placeholder="dave"
            autoComplete="off"
            spellCheck={false}
            aria-describedby={isOpen ? 'sign-in-open' : undefined}
          />
        </label>
        <button className="button" disabled={isOpen}>
          <PlusIcon />
          Open
        </button>
      </form>
      {isOpen && (
        <p className="hint" id="sign-in-open">
          {user} already has a browser here.
        </p>
      )}
      {absent.length > 0 && (
        <p className="absent">
          <span className="hint">Participants without a browser:</span>
          {absent.map((userId) => (
            <button
              key={userId}
              type="button"
              className="button quiet small"
              onClick={() => setUsers([...users, userId])}
            >
              {userId}
            </button>
          ))}
        </p>
      )}
    </div>
  );
}
