import type { ManagerOptions, SocketOptions } from 'socket.io-client';

import type { PositionStorage } from './position-storage.js';

/** The options of `createRoomcast`. Connecting requires `token`, `getToken` or a later `setToken()`. */
export interface RoomcastOptions {
  /** The URL of the edges. Default: the page's origin. */
  url?: string | undefined;
  /** A fixed token, or the first token if `getToken` is given too. */
  token?: string | undefined;
  /**
   * Returns a token. It is called if there is no token, before the current token expires (the connection continues with
   * the new token), and if an edge reports that the token has expired. After a failure it is called again with backoff.
   */
  getToken?: (() => string | Promise<string>) | undefined;
  /** The claim that contains the user, as in the edges' `--jwt-user-claim`. Default: `sub`. */
  userClaim?: string | undefined;
  /**
   * Saves positions, so that a reloaded page receives the events that it missed. Default: `sessionStorage` if available.
   * `null`: positions are not saved.
   */
  storage?: PositionStorage | null | undefined;
  /**
   * Options of socket.io-client, such as `path` or `transports`. Roomcast sets `auth`, `autoConnect` and `forceNew`
   * itself.
   */
  socketOptions?: Partial<ManagerOptions & SocketOptions> | undefined;
}
