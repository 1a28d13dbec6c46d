import { Backoff } from './backoff.js';
import type { Denial, ErrorCode, JoinResponse } from './generated.js';
import { isRetryable } from './is-retryable.js';
import type { RoomcastSocket } from './roomcast-socket.js';
import type { SavedPosition, SavedPositions } from './saved-positions.js';
import type { ServerEvent } from './server-event.js';
import { parseCursor, type SessionCursor } from './session-cursor.js';
import { SessionStore } from './session-store.js';
import { Timer } from './timer.js';

/** How long a join request waits for its response. An edge responds earlier, also if it has no control plane. */
const RESPONSE_TIMEOUT_MS = 20_000;

const NO_ACCESS: readonly ErrorCode[] = ['session_not_found', 'not_a_participant'];

/** What all memberships of one page share. */
export interface MembershipContext {
  readonly socket: RoomcastSocket;
  readonly positions: SavedPositions;
  /** The user of the current token; `undefined` if the token cannot be read. */
  user(): string | undefined;
}

type Phase =
  /** Not held. The page may still join through the raw socket. */
  | 'idle'
  /** Not held. The socket left the room, but a recovered connection may be in the room again. */
  | 'left'
  /** Held. Waits for a connection, for the response to the join request, or for its retry. */
  | 'joining'
  /** Held. In the room. The store is ahead of the replay, so the page waits for the response to the second join request. */
  | 'replaying'
  /** Held. In the room, and the store is up to date. */
  | 'live'
  /** Held. The join was denied or the membership revoked. Another hold sends a new request. */
  | 'stopped';

/**
 * One session of a page. It counts the holds of the session, joins its room, and joins again after each connection.
 *
 * The response to a join with a position contains the current session, and the missed events, which are older, follow
 * the response. The store is therefore ahead of the events that it receives, and the response does not contain the
 * position at which they catch up. The response to a second join request arrives after all missed events, and contains
 * the session together with its position.
 */
export class Membership {
  readonly store: SessionStore;
  readonly #sessionId: string;
  readonly #context: MembershipContext;
  readonly #retryTimer = new Timer();
  readonly #backoff = new Backoff();
  #phase: Phase = 'idle';
  #savedPosition: SavedPosition | undefined;
  #holds = 0;
  /** Increases with each join request and each cancellation, so that responses to earlier requests are ignored. */
  #request = 0;

  constructor(sessionId: string, context: MembershipContext) {
    this.#sessionId = sessionId;
    this.#context = context;
    this.store = new SessionStore(() => context.user());
  }

  /** Holds the session. The returned function releases the hold, once. */
  hold(): () => void {
    this.#holds++;
    if (!this.#isHeld || this.#phase === 'stopped') this.#enter();
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#holds--;
      // A component that is replaced by another one, or that React's StrictMode mounts twice, releases its hold and
      // holds the session again in the same task.
      queueMicrotask(() => {
        if (this.#holds === 0 && this.#isHeld) this.#leave();
      });
    };
  }

  /** The socket is connected. `recovered`: it is in the same rooms as before. */
  handleConnect(recovered: boolean): void {
    this.store.wasReminded = false;
    if (recovered && this.#phase === 'live') return this.#savePosition();
    if (!this.#isHeld || this.#phase === 'stopped') return;
    this.#phase = 'joining';
    this.#requestJoin();
  }

  handleDisconnect(): void {
    this.#retryTimer.clear();
  }

  /** The page closed the connection. A later page may continue from the saved position. */
  handleClose(): void {
    this.#savedPosition?.release();
    this.#savedPosition = undefined;
  }

  /** The page has another user, for whom the data of the previous user is not valid. */
  handleUserChange(): void {
    this.#cancelRequest();
    this.handleClose();
    if (this.#isHeld) this.#phase = 'joining';
    this.store.clear({ status: this.#isHeld ? 'joining' : 'idle' }, { pendingFeedback: false });
  }

  /** The page sends `join-session`, possibly through the raw socket. */
  handleJoinRequest(): void {
    if (this.#phase === 'left') this.#phase = 'idle';
  }

  /** Applies an event of this session. Returns whether its handlers must be called. */
  handleEvent(event: ServerEvent, cursor: SessionCursor | undefined): boolean {
    if (this.#phase === 'left' && event.name !== 'feedback-required') {
      if (event.name === 'session-joined') this.#context.socket.emit('leave-session', this.#sessionId);
      return false;
    }
    if (event.name === 'session-joined' && this.#phase === 'replaying') return false;
    if (!this.store.apply(event, cursor)) return false;
    if (event.name === 'session-revoked') {
      this.#stop();
      this.#savedPosition?.remove();
    } else if (event.name === 'session-reset') {
      // A reset replaces the response to a pending join request, because it is newer.
      this.#cancelRequest();
      if (this.#isHeld) this.#phase = 'live';
    }
    this.#savePosition();
    return true;
  }

  get #isHeld(): boolean {
    return this.#phase !== 'idle' && this.#phase !== 'left';
  }

  #enter(): void {
    this.#phase = 'joining';
    this.#backoff.reset();
    this.store.setMembership({ status: 'joining' });
    if (this.#context.socket.connected) this.#requestJoin();
  }

  #leave(): void {
    this.#phase = 'left';
    this.#cancelRequest();
    this.#savedPosition?.remove();
    this.handleClose();
    this.store.clear({ status: 'idle' }, this.store.getSnapshot());
    if (this.#context.socket.connected) this.#context.socket.emit('leave-session', this.#sessionId);
  }

  #stop(): void {
    this.#cancelRequest();
    if (this.#isHeld) this.#phase = 'stopped';
  }

  #cancelRequest(): void {
    this.#request++;
    this.#backoff.reset();
    this.#retryTimer.clear();
  }

  #requestJoin(): void {
    const request = ++this.#request;
    this.#retryTimer.clear();
    const after = this.#lastPosition();
    const hasPosition = after !== undefined;
    const options = hasPosition ? { after } : {};
    const acknowledge = (error: Error | null, response: JoinResponse) => {
      if (request !== this.#request) return;
      if (error !== null) this.#retry();
      else if (response.ok) this.#handleJoined(response, hasPosition);
      else this.#handleDenial(response.error, hasPosition);
    };
    const { socket } = this.#context;
    socket.timeout(RESPONSE_TIMEOUT_MS).emit('join-session', this.#sessionId, options, acknowledge);
  }

  /** The last position that was received in this page, or else the position that an earlier page saved. */
  #lastPosition(): string | undefined {
    if (this.store.seen !== undefined) return this.store.seen.text;
    const saved = this.#claimPosition()?.read();
    const cursor = saved === undefined ? undefined : parseCursor(saved, this.#sessionId);
    if (cursor !== undefined) this.store.startAt(cursor);
    return cursor?.text;
  }

  #handleJoined(response: JoinResponse & { ok: true }, hadPosition: boolean): void {
    this.#backoff.reset();
    const { position, recovered } = response;
    const cursor = parseCursor(position, this.#sessionId) ?? { text: position, position: undefined };
    const isAhead = recovered && this.#phase !== 'replaying';
    this.#phase = isAhead ? 'replaying' : 'live';
    this.store.joined(response, cursor, { isAhead, isReset: hadPosition && !recovered });
    if (isAhead) this.#requestJoin();
    this.#savePosition();
  }

  #handleDenial(error: Denial, hadPosition: boolean): void {
    if (isRetryable(error.code)) return this.#retry();
    if (error.code === 'bad_request' && hadPosition) {
      // The edge does not accept the position, so the page joins without one.
      this.#forgetPosition();
      return this.#requestJoin();
    }
    this.#stop();
    if (NO_ACCESS.includes(error.code)) this.#forgetPosition();
    this.store.setMembership({ status: 'denied', error });
  }

  #retry(): void {
    // While disconnected there is no retry: the next connection sends the request.
    if (this.#context.socket.connected) this.#retryTimer.set(this.#backoff.next(), () => this.#requestJoin());
  }

  #savePosition(): void {
    const { position } = this.store.getSnapshot();
    if (this.#isHeld && position !== undefined) this.#claimPosition()?.write(position);
  }

  #forgetPosition(): void {
    this.#savedPosition?.remove();
    this.store.clearPosition();
  }

  #claimPosition(): SavedPosition | undefined {
    return (this.#savedPosition ??= this.#context.positions.claim(this.#context.user(), this.#sessionId));
  }
}
