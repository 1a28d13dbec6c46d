import { useCallback, useMemo, useSyncExternalStore } from 'react';
import type { ConnectionState, SessionState } from '@roomcast/core';

import { useJoin } from './use-join.js';
import { useSocketContext } from './use-socket-context.js';

/** The result of `useSession`: the state of the session in this page, and of the connection. */
export type UseSessionResult = SessionState & {
  /** The state of the connection. Unless it is `connected`, the session may be outdated. */
  readonly connection: ConnectionState;
  /** Marks the feedback as submitted before the server confirms it. */
  readonly settleFeedback: () => void;
};

const IDLE: SessionState = {
  status: 'idle',
  session: undefined,
  role: undefined,
  participants: [],
  pendingFeedback: false,
  feedback: {},
  resets: 0,
  position: undefined,
};
const getIdle = () => IDLE;
const subscribeToNothing = () => () => {};

/** Joins a session while the component is mounted. Without an id, no session is joined. */
export function useSession(sessionId: string | null | undefined): UseSessionResult {
  const { client, state: connection } = useSocketContext('useSession');
  useJoin(client, sessionId);
  const view = useMemo(() => (client && sessionId ? client.session(sessionId) : null), [client, sessionId]);
  const state = useSyncExternalStore(
    view?.subscribe ?? subscribeToNothing,
    view?.getSnapshot ?? getIdle,
    getIdle,
  );
  const settleFeedback = useCallback(() => view?.settleFeedback(), [view]);
  return useMemo(() => ({ ...state, connection, settleFeedback }), [state, connection, settleFeedback]);
}
