import type { ConnectionState } from './connection-state.js';
import type { ClientToServerEvents, ServerToClientEvents } from './generated.js';
import type { RoomcastSocket } from './roomcast-socket.js';
import type { SessionView } from './session-view.js';

/** One user's connection to Roomcast, and the sessions of its page. */
export interface Roomcast {
  /** The socket of socket.io-client, for `onAny` and its other methods. Its own listeners may receive duplicates. */
  readonly socket: RoomcastSocket;
  /** The user of the current token, read without verification; `undefined` if the token cannot be read. */
  readonly user: string | undefined;
  /** Calls the listener after each change of the connection's state. The returned function removes the listener. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Returns the connection's state. It is a new object only if something changed. */
  readonly getSnapshot: () => ConnectionState;
  /** Connects, and reconnects until `close()`. */
  connect(): void;
  /** Disconnects. Held sessions stay held, and the next `connect()` joins them again. */
  close(): void;
  /**
   * Replaces the token: on a live connection without an interruption, otherwise for the next connection. A token of
   * another user starts a new connection without any data of the previous user.
   */
  setToken(token: string): void;
  /**
   * Calls the handler once for each event of this name, with its payload and its cursor. An error in a handler does not
   * stop the other handlers: it is reported as an uncaught error. The returned function removes the handler.
   */
  on<E extends keyof ServerToClientEvents>(event: E, handler: ServerToClientEvents[E]): () => void;
  /** Removes one registration of the handler. */
  off<E extends keyof ServerToClientEvents>(event: E, handler: ServerToClientEvents[E]): void;
  /** Sends an event, like `socket.emit`. */
  emit<E extends keyof ClientToServerEvents>(event: E, ...args: Parameters<ClientToServerEvents[E]>): void;
  /**
   * Holds a session. The first hold joins the session, and the release of the last hold leaves it. The returned function
   * releases this hold, once.
   */
  join(sessionId: string): () => void;
  /** Returns the view of a session, without joining it. */
  session(sessionId: string): SessionView;
}
