import { useCallback, useMemo, useSyncExternalStore } from 'react';
import type { ConnectionState, SessionState } from '@roomcast/core';

import { useProvided } from './socket-context.js';
import { useJoined } from './use-join.js';

/** A session as it is known here: its state, and that of the connection which keeps it true. */
export type UseSession = SessionState & {
  readonly connection: ConnectionState;
  /** Takes the feedback as given, where the page knows it before the server says so. */
  readonly settleFeedback: () => void;
};

const UNKNOWN: SessionState = {
  status: 'idle',
  session: undefined,
  role: undefined,
  participants: [],
  feedbackDue: false,
  feedback: {},
  resets: 0,
  position: undefined,
};
const unknown = () => UNKNOWN;

/** A session, joined while the component is mounted. Without an id there is none. */
export function useSession(sessionId: string | null | undefined): UseSession {
  const { client, state: connection } = useProvided('useSession');
  useJoined(client, sessionId);
  const view = useMemo(() => (client && sessionId ? client.session(sessionId) : null), [client, sessionId]);
  const onState = useCallback((changed: () => void) => view?.onState(changed) ?? (() => {}), [view]);
  const state = useSyncExternalStore(onState, () => view?.state ?? UNKNOWN, unknown);
  const settleFeedback = useCallback(() => view?.settleFeedback(), [view]);
  return useMemo(() => ({ ...state, connection, settleFeedback }), [state, connection, settleFeedback]);
}
