import type { Roomcast, RoomcastOptions } from '@roomcast/core';

/** The props of `SocketProvider` that determine its connection. */
export interface ConnectionProps {
  /**
   * The user's token. A new token of the same user is sent on the live connection; a token of another user starts a new
   * connection.
   */
  readonly token?: string | null | undefined;
  /** The URL of the edges. Unset: the page's origin. Another URL starts a new connection. */
  readonly url?: string | undefined;
  /** Returns a token whenever one is needed. May be a different function in each render. */
  readonly getToken?: RoomcastOptions['getToken'];
  /** The claim that contains the user. Unset: `sub`. */
  readonly userClaim?: RoomcastOptions['userClaim'];
  /** Saves positions across reloads. Read when a connection is created. */
  readonly storage?: RoomcastOptions['storage'];
  /** Options of socket.io-client. Read when a connection is created. */
  readonly socketOptions?: RoomcastOptions['socketOptions'];
  /** The page's own client, which the page connects and closes. All other props are then ignored. */
  readonly client?: Roomcast | undefined;
}
