import type { ConnectErrorCode } from './generated.js';

/** Where a connection stands. Each change is a new object. */
export type ConnectionState =
  /** `connect()` was not called yet, or `close()` was. */
  | { readonly status: 'idle' }
  /** On the way to its first connection. */
  | { readonly status: 'connecting' }
  /** Connected. `recovered`: Socket.IO continued the earlier connection, and nothing was missed. */
  | { readonly status: 'connected'; readonly recovered: boolean }
  /** Not connected for a reason that passes; it tries again by itself, with jitter. */
  | { readonly status: 'reconnecting'; readonly reason: string }
  /** The edge refused the token, and there is no way to another one. `setToken()` goes on. */
  | { readonly status: 'refused'; readonly code: ConnectErrorCode | (string & {}); readonly message: string }
  /** The server disconnected the user. `connect()` begins anew. */
  | { readonly status: 'ended'; readonly reason: string };
