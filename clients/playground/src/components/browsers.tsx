// The browsers, side by side, and the place where another one is opened.

import { SocketProvider } from '@roomcast/react';
import { useState, type FormEvent } from 'react';

import { ID_PATTERN, setUsers } from '../page-location';
import { useStore } from '../store';
import { useWorkshop } from '../playground-session';
import { BrowserCard } from './browser-card';
import { PlusIcon } from './icons';

export function Browsers({ users }: { readonly users: readonly string[] }) {
  const { crowd } = useWorkshop();
  const visitors = useStore(crowd.visitors);
  return (
    <section className="browsers" id="browsers" aria-labelledby="browsers-title">
      <div className="section-head">
        <h2 id="browsers-title">Browsers</h2>
        <p className="hint">Each has its own connection, as if it were on its own machine.</p>
      </div>
      <div className="browser-grid">
        {visitors.map((visitor) => (
          <SocketProvider key={visitor.user} client={visitor.client}>
            <BrowserCard
              visitor={visitor}
              onClose={() => setUsers(users.filter((user) => user !== visitor.user))}
            />
          </SocketProvider>
        ))}
        <SignIn users={users} />
      </div>
    </section>
  );
}

function SignIn({ users }: { readonly users: readonly string[] }) {
  const { record } = useWorkshop();
  const known = useStore(record.known);
  const [user, setUser] = useState('');
  const seats = known.state === 'known' ? known.seats.map((seat) => seat.userId) : [];
  const absent = seats.filter((seat) => !users.includes(seat));
  const open = users.includes(user);

  const add = (event: FormEvent) => {
    event.preventDefault();
    if (open) return;
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
            aria-describedby={open ? 'sign-in-open' : undefined}
          />
        </label>
        <button className="button" disabled={open}>
          <PlusIcon />
          Open
        </button>
      </form>
      {open && (
        <p className="hint" id="sign-in-open">
          {user} has a browser here already.
        </p>
      )}
      {absent.length > 0 && (
        <p className="absent">
          <span className="hint">Takes part, and is not here:</span>
          {absent.map((one) => (
            <button
              key={one}
              type="button"
              className="button quiet small"
              onClick={() => setUsers([...users, one])}
            >
              {one}
            </button>
          ))}
        </p>
      )}
    </div>
  );
}
