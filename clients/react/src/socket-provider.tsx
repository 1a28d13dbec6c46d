import { useCallback, useMemo, useSyncExternalStore, type ReactElement, type ReactNode } from 'react';
import type { ConnectionState, Roomcast, RoomcastOptions } from '@roomcast/core';

import { SocketContext } from './socket-context.js';
import { useHydrated } from './use-hydrated.js';
import { useRoomcast } from './use-roomcast.js';

/** What `SocketProvider` takes. With neither `token`, `getToken` nor `client` it does not connect yet. */
export interface SocketProviderProps {
  /** The user's token. A new one of the same user is handed to the live connection; one of another user makes a new connection. */
  readonly token?: string | null | undefined;
  /** Where the edge is; unset: the page's own origin. Another one makes a new connection. */
  readonly url?: string | undefined;
  /** Gives a token whenever one is needed. May be another function in each render. */
  readonly getToken?: RoomcastOptions['getToken'];
  /** The claim of tokens that names the user; unset: `sub`. */
  readonly userClaim?: RoomcastOptions['userClaim'];
  /** Where positions are kept over a reload; looked at when a connection is made. */
  readonly storage?: RoomcastOptions['storage'];
  /** Options for socket.io-client; looked at when a connection is made. */
  readonly socketOptions?: RoomcastOptions['socketOptions'];
  /** A connection of the page's own, which the page connects and closes. The options above then have no effect. */
  readonly client?: Roomcast | undefined;
  readonly children?: ReactNode;
}

const IDLE: ConnectionState = { status: 'idle' };
const idle = () => IDLE;

/** Connects while it is mounted, and hands the connection to the components in it. */
export function SocketProvider({ children, ...options }: SocketProviderProps): ReactElement {
  const hydrated = useHydrated();
  const client = useRoomcast(options, hydrated);
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
  const onState = useCallback((changed: () => void) => client?.onState(changed) ?? (() => {}), [client]);
  return useSyncExternalStore(onState, () => client?.state ?? IDLE, idle);
}
