// What keeps this browser from the session, and the way back.

import type { UseSession } from '@roomcast/react';
import { useEffect, useState, type FormEvent } from 'react';

import { useStore } from '../store';
import type { Visitor } from '../browsers/simulated-browser';
import { useWorkshop } from '../playground-session';
import { Countdown } from './countdown';
import { Notice } from './notice';

interface StandingProps {
  readonly visitor: Visitor;
  readonly session: UseSession;
  readonly onJoinAgain: () => void;
}

export function Standing({ visitor, session, onJoinAgain }: StandingProps) {
  return (
    <>
      <TokenNotice visitor={visitor} />
      <AwayNotice visitor={visitor} />
      {session.connection.status === 'ended' && (
        <Notice
          tone="bad"
          title="The backend disconnected this user"
          actions={
            <button type="button" className="button small" onClick={() => visitor.client.connect()}>
              Connect again
            </button>
          }
        >
          Every browser of theirs, on every edge.
        </Notice>
      )}
      <Membership visitor={visitor} session={session} onJoinAgain={onJoinAgain} />
    </>
  );
}

function Membership({ visitor, session, onJoinAgain }: StandingProps) {
  const { record } = useWorkshop();
  const known = useStore(record.known);
  const seated = known.state === 'known' && known.seats.some((seat) => seat.userId === visitor.user);
  const mayJoin = seated && session.status === 'denied';
  // Came before the session did, or before its user was let in.
  useEffect(() => {
    if (mayJoin) onJoinAgain();
  }, [mayJoin, onJoinAgain]);
  if (session.status !== 'denied' && session.status !== 'revoked') return null;
  const title =
    session.status === 'revoked' ? 'No longer a participant' : `May not join: ${session.error.code}`;
  const again = (
    <button type="button" className={seated ? 'button primary small' : 'button small'} onClick={onJoinAgain}>
      Join again
    </button>
  );
  return (
    <Notice tone={seated ? 'good' : 'warn'} title={seated ? 'A participant again' : title} actions={again}>
      {seated
        ? 'A page joins anew when its user is let in again.'
        : session.status === 'denied'
          ? session.error.message
          : 'Nothing after the removal reaches this browser. Give the user a role to let them in again.'}
    </Notice>
  );
}

function AwayNotice({ visitor }: { readonly visitor: Visitor }) {
  const until = useStore(visitor.away);
  if (until === undefined) return null;
  return (
    <Notice tone="warn" title="The connection is cut">
      Comes back in <Countdown until={until} />. Publish something meanwhile: it will be replayed.
    </Notice>
  );
}

function TokenNotice({ visitor }: { readonly visitor: Visitor }) {
  const supply = useStore(visitor.tokens.supply);
  if (supply.state === 'by hand') return <GiveToken visitor={visitor} />;
  if (supply.state === 'open') return null;
  return (
    <Notice
      tone="warn"
      title="No new token is handed out"
      actions={
        <button type="button" className="button primary small" onClick={() => visitor.tokens.release()}>
          Hand out a new token
        </button>
      }
    >
      <Countdown until={supply.until} before="The last one expires in " after="The last one has expired." />
    </Notice>
  );
}

function GiveToken({ visitor }: { readonly visitor: Visitor }) {
  const [given, setGiven] = useState(false);
  const give = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    visitor.tokens.give(String(new FormData(event.currentTarget).get('token')).trim());
    setGiven(true);
  };
  if (given) return null;
  return (
    <form className="inline-form" onSubmit={give}>
      <label className="field">
        <span>A token of {visitor.user}: this dev has no key to make one</span>
        <input name="token" required autoComplete="off" spellCheck={false} />
      </label>
      <button className="button small">Connect</button>
    </form>
  );
}
