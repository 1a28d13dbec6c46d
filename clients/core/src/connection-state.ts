import type { ConnectErrorCode } from './generated.js';

/** The state of a connection. Each change creates a new object. */
export type ConnectionState =
  /** `connect()` was not called yet, or `close()` was called. */
  | { readonly status: 'idle' }
  /** Connecting for the first time. */
  | { readonly status: 'connecting' }
  /** Connected. `recovered`: Socket.IO continued the previous connection, and no event was missed. */
  | { readonly status: 'connected'; readonly recovered: boolean }
  /** Not connected for a temporary reason. The client retries with backoff and jitter. */
  | { readonly status: 'reconnecting'; readonly reason: string }
  /** The edge denied the connection, and the client cannot get another token. `setToken()` connects again. */
  | { readonly status: 'denied'; readonly code: ConnectErrorCode | (string & {}); readonly message: string }
  /** The server disconnected the user. `connect()` connects again. */
  | { readonly status: 'ended'; readonly reason: string };
