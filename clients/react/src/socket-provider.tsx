import { useMemo, useSyncExternalStore, type ReactElement, type ReactNode } from 'react';
import type { ConnectionState, Roomcast } from '@roomcast/core';

import type { ConnectionProps } from './connection-props.js';
import { SocketContext } from './socket-context.js';
import { useHydrated } from './use-hydrated.js';
import { useRoomcast } from './use-roomcast.js';

/** The props of `SocketProvider`. Without `token`, `getToken` and `client` it does not connect. */
export interface SocketProviderProps extends ConnectionProps {
  readonly children?: ReactNode;
}

const IDLE: ConnectionState = { status: 'idle' };
const getIdle = () => IDLE;
const subscribeToNothing = () => () => {};

/** Connects while it is mounted, and provides the connection to the components inside it. */
export function SocketProvider({ children, ...props }: SocketProviderProps): ReactElement {
  const hydrated = useHydrated();
  const client = useRoomcast(props, hydrated);
  const state = useConnectionState(client);
  const value = useMemo(
    () => ({
      client,
      socket: hydrated && client ? client.socket : null,
      connected: state.status === 'connected',
      state,
    }),
    [client, hydrated, state],
  );
  return <SocketContext.Provider value={value}>{children}</SocketContext.Provider>;
}

function useConnectionState(client: Roomcast | null): ConnectionState {
  return useSyncExternalStore(
    client?.subscribe ?? subscribeToNothing,
    client?.getSnapshot ?? getIdle,
    getIdle,
  );
}
