import { createContext } from 'react';
import type { ConnectionState, Roomcast, RoomcastSocket } from '@roomcast/core';

/** What a `SocketProvider` provides to the components inside it. */
export interface SocketContextValue {
  /** The client, with its sessions. `null` on a server, and while there is no token. */
  readonly client: Roomcast | null;
  /** The raw Socket.IO socket. `null` if `client` is `null`, and in the first render of a hydration. */
  readonly socket: RoomcastSocket | null;
  /** Whether `state.status` is `'connected'`. */
  readonly connected: boolean;
  /** The state of the connection. */
  readonly state: ConnectionState;
}

/** The value of the nearest `SocketProvider`; `null` outside a provider. */
export const SocketContext = createContext<SocketContextValue | null>(null);
SocketContext.displayName = 'SocketContext';
