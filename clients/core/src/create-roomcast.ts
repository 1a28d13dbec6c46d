import { io, type Socket } from 'socket.io-client';

import { Connection } from './connection.js';
import type { ConnectionState } from './connection-state.js';
import { positionIn } from './session-cursor.js';
import { serverToClientEvents, type ClientToServerEvents, type ServerToClientEvents } from './generated.js';
import { Membership, type Surroundings } from './membership.js';
import type { RoomcastOptions } from './roomcast-options.js';
import { Positions } from './saved-positions.js';
import type { ServerEvent } from './session-store.js';
import type { SessionView } from './session-state.js';
import { Timer } from './timer.js';
import { Tokens } from './token-source.js';
import { Watchers } from './listeners.js';

/** How long after a connection an edge may take to remind of what is owed. */
const REMINDERS_MS = 2_000;

/** The stock client's socket, typed. */
export type RoomcastSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

/** One user's connection to Roomcast, and the sessions that its page looks at. */
export interface Roomcast {
  /** The stock client's socket, for `onAny` and whatever else it can do. Its own listeners see duplicates. */
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
   * Calls the handler with each event of this name, once, and with its cursor. What a handler throws is uncaught, and
   * stops no other. The function that it gives takes this handler away.
   */
  on<E extends keyof ServerToClientEvents>(event: E, handler: ServerToClientEvents[E]): () => void;
  /** Takes a handler away, once. */
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
export function createRoomcast(options: RoomcastOptions): Roomcast {
  return new Page(options);
}

/** A handler gets the payload of its own event only: `on` sees to that. */
type Handler = (payload: ServerEvent['payload'], cursor: string) => void;

class Page implements Roomcast {
  readonly socket: RoomcastSocket;
  readonly #tokens: Tokens;
  readonly #connection: Connection;
  readonly #positions: Positions;
  readonly #around: Surroundings;
  readonly #memberships = new Map<string, Membership>();
  readonly #handlers = new Map<string, Watchers<Parameters<Handler>>>();
  readonly #reminders = new Timer();
  readonly #flush = () => this.#positions.flush();

  constructor({ url, token, getToken, userClaim = 'sub', storage, socketOptions }: RoomcastOptions) {
    if (url === undefined && !('location' in globalThis))
      throw new Error('outside of a page, a url is needed');
    const options = { ...socketOptions, autoConnect: false, forceNew: true };
    this.socket = url === undefined ? io(options) : io(url, options);
    this.#tokens = new Tokens(token, getToken, userClaim);
    this.#positions = new Positions(storage);
    this.#connection = new Connection(this.socket, this.#tokens, () => {
      for (const membership of this.#memberships.values()) membership.restart();
    });
    this.#around = { socket: this.socket, positions: this.#positions, user: () => this.user };
    this.#listen();
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  get user(): string | undefined {
    return this.#tokens.user;
  }

  onState(listener: () => void): () => void {
    return this.#connection.watchers.add(listener);
  }

  connect(): void {
    globalThis.addEventListener?.('pagehide', this.#flush);
    this.#connection.connect();
  }

  close(): void {
    this.#connection.close();
    globalThis.removeEventListener?.('pagehide', this.#flush);
    for (const membership of this.#memberships.values()) membership.closed();
  }

  setToken(token: string): void {
    this.#connection.setToken(token);
  }

  on<E extends keyof ServerToClientEvents>(event: E, handler: ServerToClientEvents[E]): () => void {
    const handlers = this.#handlers.get(event) ?? new Watchers();
    this.#handlers.set(event, handlers);
    return handlers.add(handler as Handler);
  }

  off<E extends keyof ServerToClientEvents>(event: E, handler: ServerToClientEvents[E]): void {
    this.#handlers.get(event)?.delete(handler as Handler);
  }

  emit<E extends keyof ClientToServerEvents>(event: E, ...args: Parameters<ClientToServerEvents[E]>): void {
    this.socket.emit(event, ...args);
  }

  join(sessionId: string): () => void {
    return this.#membership(sessionId).hold();
  }

  session(sessionId: string): SessionView {
    return this.#membership(sessionId).book;
  }

  #membership(sessionId: string): Membership {
    const known = this.#memberships.get(sessionId);
    if (known !== undefined) return known;
    const membership = new Membership(sessionId, this.#around);
    this.#memberships.set(sessionId, membership);
    return membership;
  }

  #listen(): void {
    const { socket } = this;
    socket.on('connect', () => {
      for (const membership of this.#memberships.values()) membership.connected(socket.recovered);
      this.#reminders.set(REMINDERS_MS, () => this.#settleUnreminded());
      this.#connection.connected();
    });
    socket.on('disconnect', () => {
      this.#reminders.clear();
      for (const membership of this.#memberships.values()) membership.disconnected();
    });
    socket.onAnyOutgoing((event: unknown, sessionId: unknown) => {
      if (event === 'join-session' && typeof sessionId === 'string')
        this.#memberships.get(sessionId)?.asked();
    });
    for (const name of serverToClientEvents) {
      socket.on(name, (payload: ServerEvent['payload'], cursor: string) => {
        this.#take({ name, payload } as ServerEvent, cursor);
      });
    }
  }

  #take(event: ServerEvent, cursor: string): void {
    const { sessionId } = event.payload;
    if (sessionId !== null) {
      const position = positionIn(cursor, sessionId);
      if (!this.#membership(sessionId).take(event, position)) return;
    }
    this.#handlers.get(event.name)?.tell(event.payload, cursor);
  }

  /** The edge has reminded of everything that is still owed. */
  #settleUnreminded(): void {
    for (const { book } of this.#memberships.values()) if (!book.isReminded) book.settleFeedback();
  }
}
