import { io } from 'socket.io-client';

import { Connection } from './connection.js';
import type { ConnectionState } from './connection-state.js';
import { serverToClientEvents, type ClientToServerEvents, type ServerToClientEvents } from './generated.js';
import { Listeners } from './listeners.js';
import { Membership, type MembershipContext } from './membership.js';
import type { Roomcast } from './roomcast.js';
import type { RoomcastOptions } from './roomcast-options.js';
import type { RoomcastSocket } from './roomcast-socket.js';
import { SavedPositions } from './saved-positions.js';
import type { ServerEvent } from './server-event.js';
import { parseCursor } from './session-cursor.js';
import type { SessionView } from './session-view.js';
import { Timer } from './timer.js';
import { TokenSource } from './token-source.js';

/** The edge sends all reminders of pending feedback within this time after a connection. */
const REMINDERS_MS = 2_000;

/** Creates a {@link Roomcast}. It does not connect before `connect()`. */
export function createRoomcast(options: RoomcastOptions): Roomcast {
  return new RoomcastClient(options);
}

/** A handler of any event. `on` ensures that it receives only payloads of its own event. */
type Handler = (payload: ServerEvent['payload'], cursor: string) => void;

class RoomcastClient implements Roomcast {
  readonly socket: RoomcastSocket;
  readonly #tokens: TokenSource;
  readonly #connection: Connection;
  readonly #positions: SavedPositions;
  readonly #context: MembershipContext;
  readonly #memberships = new Map<string, Membership>();
  readonly #handlers = new Map<string, Listeners<Parameters<Handler>>>();
  readonly #reminderTimer = new Timer();
  readonly #flushPositions = () => this.#positions.flush();

  constructor({ url, token, getToken, userClaim = 'sub', storage, socketOptions }: RoomcastOptions) {
    if (url === undefined && !('location' in globalThis))
      throw new Error('outside a browser the option `url` is required');
    const options = { ...socketOptions, autoConnect: false, forceNew: true };
    this.socket = url === undefined ? io(options) : io(url, options);
    this.#tokens = new TokenSource(token, getToken, userClaim);
    this.#positions = new SavedPositions(storage);
    this.#connection = new Connection(this.socket, this.#tokens, () => {
      for (const membership of this.#memberships.values()) membership.handleUserChange();
    });
    this.#context = { socket: this.socket, positions: this.#positions, user: () => this.user };
    this.#listen();
  }

  get user(): string | undefined {
    return this.#tokens.user;
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#connection.listeners.add(listener);

  readonly getSnapshot = (): ConnectionState => this.#connection.state;

  connect(): void {
    globalThis.addEventListener?.('pagehide', this.#flushPositions);
    this.#connection.connect();
  }

  close(): void {
    this.#connection.close();
    globalThis.removeEventListener?.('pagehide', this.#flushPositions);
    for (const membership of this.#memberships.values()) membership.handleClose();
  }

  setToken(token: string): void {
    this.#connection.setToken(token);
  }

  on<E extends keyof ServerToClientEvents>(event: E, handler: ServerToClientEvents[E]): () => void {
    const handlers = this.#handlers.get(event) ?? new Listeners();
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
    return this.#membership(sessionId).store;
  }

  #membership(sessionId: string): Membership {
    const existing = this.#memberships.get(sessionId);
    if (existing !== undefined) return existing;
    const membership = new Membership(sessionId, this.#context);
    this.#memberships.set(sessionId, membership);
    return membership;
  }

  #listen(): void {
    const { socket } = this;
    socket.on('connect', () => {
      for (const membership of this.#memberships.values()) membership.handleConnect(socket.recovered);
      this.#reminderTimer.set(REMINDERS_MS, () => this.#settleFeedbackWithoutReminder());
      this.#connection.handleConnect();
    });
    socket.on('disconnect', () => {
      this.#reminderTimer.clear();
      for (const membership of this.#memberships.values()) membership.handleDisconnect();
    });
    socket.onAnyOutgoing((event: unknown, sessionId: unknown) => {
      if (event === 'join-session' && typeof sessionId === 'string')
        this.#memberships.get(sessionId)?.handleJoinRequest();
    });
    for (const name of serverToClientEvents) {
      socket.on(name, (payload: ServerEvent['payload'], cursor: string) => {
        this.#handleEvent({ name, payload } as ServerEvent, cursor);
      });
    }
  }

  #handleEvent(event: ServerEvent, cursor: string): void {
    const { sessionId } = event.payload;
    if (sessionId !== null) {
      const sessionCursor = parseCursor(cursor, sessionId);
      if (!this.#membership(sessionId).handleEvent(event, sessionCursor)) return;
    }
    this.#handlers.get(event.name)?.notify(event.payload, cursor);
  }

  /** The edge has sent every reminder, so all other feedback is settled. */
  #settleFeedbackWithoutReminder(): void {
    for (const { store } of this.#memberships.values()) if (!store.wasReminded) store.settleFeedback();
  }
}
