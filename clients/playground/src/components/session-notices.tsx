// Why this browser is not in the session, and what the user can do about it.

import type { UseSessionResult } from '@roomcast/react';
import { useEffect, useState, type FormEvent } from 'react';

import type { SimulatedBrowser } from '../browsers/simulated-browser';
import { usePlaygroundSession } from '../use-playground-session';
import { useStore } from '../use-store';
import { Countdown } from './countdown';
import { Notice } from './notice';

interface SessionNoticesProps {
  readonly browser: SimulatedBrowser;
  readonly session: UseSessionResult;
  readonly onJoinAgain: () => void;
}

export function SessionNotices({ browser, session, onJoinAgain }: SessionNoticesProps) {
  return (
    <>
      <TokenNotice browser={browser} />
      <CutNotice browser={browser} />
      {session.connection.status === 'ended' && (
        <Notice
          tone="bad"
          title="The backend disconnected this user"
          actions={
            <button type="button" className="button small" onClick={() => browser.client.connect()}>
              Connect again
            </button>
          }
        >
          All browsers of the user were disconnected, on every edge.
        </Notice>
      )}
      <MembershipNotice browser={browser} session={session} onJoinAgain={onJoinAgain} />
    </>
  );
}

function MembershipNotice({ browser, session, onJoinAgain }: SessionNoticesProps) {
  const record = useStore(usePlaygroundSession().record.state);
  const isParticipant =
    record.status === 'loaded' && record.session.participants.some(({ userId }) => userId === browser.user);
  const mayJoin = isParticipant && session.status === 'denied';
  // The browser joined before the session existed, or before its user was a participant.
  useEffect(() => {
    if (mayJoin) onJoinAgain();
  }, [mayJoin, onJoinAgain]);
  if (session.status !== 'denied' && session.status !== 'revoked') return null;
  const joinAgain = (
    <button
      type="button"
      className={isParticipant ? 'button primary small' : 'button small'}
      onClick={onJoinAgain}
    >
      Join again
    </button>
  );
  if (isParticipant) {
    return (
      <Notice tone="good" title="A participant again" actions={joinAgain}>
        The page must send a new join request.
      </Notice>
    );
  }
  if (session.status === 'denied') {
    return (
      <Notice tone="warn" title={`Join denied: ${session.error.code}`} actions={joinAgain}>
        {session.error.message}
      </Notice>
    );
  }
  return (
    <Notice tone="warn" title="No longer a participant" actions={joinAgain}>
      This browser receives no event after the removal. Assign a role to the user to admit them again.
    </Notice>
  );
}

function CutNotice({ browser }: { readonly browser: SimulatedBrowser }) {
  const reconnectsAt = useStore(browser.reconnectsAt);
  if (reconnectsAt === undefined) return null;
  return (
    <Notice tone="warn" title="The connection is cut">
      It reconnects in <Countdown until={reconnectsAt} />. Events that you publish until then will be
      replayed.
    </Notice>
  );
}

function TokenNotice({ browser }: { readonly browser: SimulatedBrowser }) {
  const supply = useStore(browser.tokens.state);
  if (supply.status === 'manual') return <TokenForm browser={browser} />;
  if (supply.status === 'issuing') return null;
  return (
    <Notice
      tone="warn"
      title="No new token is issued"
      actions={
        <button type="button" className="button primary small" onClick={() => browser.tokens.resume()}>
          Issue a new token
        </button>
      }
    >
      <Countdown
        until={supply.expiresAt}
        prefix="The last token expires in "
        endText="The last token has expired."
      />
    </Notice>
  );
}

function TokenForm({ browser }: { readonly browser: SimulatedBrowser }) {
  const [isEntered, setEntered] = useState(false);
  const enter = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    browser.tokens.enter(String(new FormData(event.currentTarget).get('token')).trim());
    setEntered(true);
  };
  if (isEntered) return null;
  return (
    <form className="inline-form" onSubmit={enter}>
      <label className="field">
        <span>A token of {browser.user}, because this roomcast dev cannot mint tokens</span>
        <input name="token" required autoComplete="off" spellCheck={false} />
      </label>
      <button className="button small">Connect</button>
    </form>
  );
}
