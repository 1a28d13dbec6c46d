import { createContext, useContext } from 'react';
import type { ConnectionState, Roomcast, RoomcastSocket } from '@roomcast/core';

/** What a provider hands to the components in it. */
export interface SocketContextValue {
  /** The connection, its sessions and positions. `null` on a server, and while there is no token. */
  readonly client: Roomcast | null;
  /** The raw Socket.IO socket. `null` where `client` is, and in the first render of a hydration. */
  readonly socket: RoomcastSocket | null;
  /** Whether `state.status` is `'connected'`. */
  readonly connected: boolean;
  /** Where the connection stands. */
  readonly state: ConnectionState;
}

/** The nearest provider's connection; `null` outside one. */
export const SocketContext = createContext<SocketContextValue | null>(null);
SocketContext.displayName = 'SocketContext';

/** What the nearest provider hands out; throws where there is none, in the name of the hook that asks. */
export function useProvided(hook: string): SocketContextValue {
  const provided = useContext(SocketContext);
  if (!provided) {
    throw new Error(`${hook} has to be called in a component inside a <SocketProvider>`);
  }
  return provided;
}
