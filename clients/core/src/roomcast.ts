import type { Socket } from 'socket.io-client';

import type { ConnectionState } from './connection-state.js';
import type { ClientToServerEvents, ServerToClientEvents } from './generated.js';
import type { RoomcastOptions } from './options.js';
import type { SessionView } from './session-state.js';

/** The stock client's socket, typed. */
export type RoomcastSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

/** One user's connection to Roomcast, and the sessions that its page looks at. */
export interface Roomcast {
  /** The stock client's socket, for `onAny` and whatever else it can do. */
  readonly socket: RoomcastSocket;
  /** Where the connection stands: a new object on change only. */
  readonly state: ConnectionState;
  /** Who the token says that this is, read without verification; `undefined` where it can't be read. */
  readonly user: string | undefined;
  /** Calls the listener after each change of `state`; the function that it gives ends that. */
  onState(listener: () => void): () => void;
  /** Connects, and stays so. */
  connect(): void;
  /** Disconnects. What is joined stays held, and is joined again by the next `connect()`. */
  close(): void;
  /** Replaces the token: of a live connection without a break, or what the next one shows. Another user begins anew. */
  setToken(token: string): void;
  /**
   * Calls the handler with each event of this name, once, and with its cursor. One that throws is reported as
   * uncaught and stops no other. The function that it gives is `off`.
   */
  on<E extends keyof ServerToClientEvents>(event: E, handler: ServerToClientEvents[E]): () => void;
  /** Ends what `on` began. */
  off<E extends keyof ServerToClientEvents>(event: E, handler: ServerToClientEvents[E]): void;
  /** As `socket.emit`. */
  emit<E extends keyof ClientToServerEvents>(event: E, ...args: Parameters<ClientToServerEvents[E]>): void;
  /**
   * Holds a session: the first hold joins it, and the last one that is let go leaves it. The function that it gives
   * lets go, once.
   */
  join(sessionId: string): () => void;
  /** What is known of a session. Does not join it. */
  session(sessionId: string): SessionView;
}

/** Makes a {@link Roomcast}; `connect()` connects it. */
export function createRoomcast(_options: RoomcastOptions): Roomcast {
  throw new Error('to be written');
}
