import type { ManagerOptions, SocketOptions } from 'socket.io-client';

/** Where positions outlive the page; `sessionStorage` is one. What it throws is taken as "not kept". */
export interface PositionStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** What a {@link Roomcast} is made of. A token, or a way to get one, has to be among it before it connects. */
export interface RoomcastOptions {
  /** Where the edges are reached. Default: the page's own origin. */
  url?: string | undefined;
  /** A fixed token or, where `getToken` is given too, the first one. */
  token?: string | undefined;
  /**
   * Gets a token. It is asked when there is none, before the one at hand expires (the connection goes on with the
   * new one), and when an edge finds it expired. One that fails is asked again, later each time.
   */
  getToken?: (() => string | Promise<string>) | undefined;
  /** The claim of the token that names the user, as the edges' `--jwt-user-claim` has it. Default: `sub`. */
  userClaim?: string | undefined;
  /**
   * Keeps positions, so that a page that reloads gets what it missed. Default: `sessionStorage`, where there is one;
   * `null`: positions end with the page.
   */
  storage?: PositionStorage | null | undefined;
  /** Options of socket.io-client, such as `path` or `transports`. `auth`, `autoConnect` and `forceNew` are ours. */
  socketOptions?: Partial<ManagerOptions & SocketOptions> | undefined;
}
