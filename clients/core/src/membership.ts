import { positionIn, type Position } from './session-cursor.js';
import type { ErrorCode, JoinAnswer } from './generated.js';
import type { Positions, PositionSlot } from './saved-positions.js';
import type { RoomcastSocket } from './create-roomcast.js';
import { SessionBook, type ServerEvent } from './session-store.js';
import { backoff, Timer } from './timer.js';

/** An edge answers within 15 s, or has lost its control planes. */
const ANSWER_MS = 20_000;

const PASSING: readonly ErrorCode[] = ['unavailable', 'rate_limited'];
const NO_ACCESS: readonly ErrorCode[] = ['session_not_found', 'not_a_participant'];

/** What memberships of one page share. */
export interface Surroundings {
  readonly socket: RoomcastSocket;
  readonly positions: Positions;
  user(): string | undefined;
}

/**
 * One session of a page: who holds it, the way into its room, and back into it after each connection.
 *
 * A join with a position is answered with the session as it stands, and then comes what was missed, which is older. So
 * the book is ahead of its events, and nobody says until when. A second question, which is answered after all of them,
 * brings the session and the position at which it stands so.
 */
export class Membership {
  readonly book: SessionBook;
  readonly #id: string;
  readonly #around: Surroundings;
  readonly #again = new Timer();
  #slot: PositionSlot | undefined;
  #holds = 0;
  /** Somebody holds it, or did in this turn of the event loop. */
  #isHeld = false;
  /** The socket is in the room, as far as is known, and the book is not ahead. */
  #isSettled = false;
  /** Numbers questions: an answer to any but the last one is no news. */
  #question = 0;
  /** The question under way is the second one. */
  #isSecond = false;
  #attempts = 0;
  /** It left, and a recovered connection may be in the room again all the same. */
  #hasLeft = false;

  constructor(id: string, around: Surroundings) {
    this.#id = id;
    this.#around = around;
    this.book = new SessionBook(() => around.user());
  }

  hold(): () => void {
    this.#holds++;
    const { status } = this.book.state;
    if (!this.#isHeld || status === 'denied' || status === 'revoked') this.#enter();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds--;
      // A view that is replaced by another one, or mounted twice by React's StrictMode, lets go and holds again at once.
      queueMicrotask(() => {
        if (this.#holds === 0 && this.#isHeld) this.#leave();
      });
    };
  }

  /** The socket is connected. `recovered`: it is in the rooms in which it was. */
  connected(recovered: boolean): void {
    this.book.isReminded = false;
    if (recovered && this.#isSettled) return this.#keep();
    this.#isSettled = false;
    this.#isSecond = false;
    const { status } = this.book.state;
    if (this.#isHeld && (status === 'joining' || status === 'joined')) this.#ask();
  }

  disconnected(): void {
    this.#again.clear();
  }

  /** The page is done with it, for now or for ever: whoever comes after it goes on from its position. */
  closed(): void {
    this.#slot?.release();
    this.#slot = undefined;
  }

  /** Another user: whatever is known is not theirs. */
  restart(): void {
    this.#abandon();
    this.closed();
    this.book.forget({ status: this.#isHeld ? 'joining' : 'idle' }, { feedbackDue: false });
  }

  /** The page asks to join, by whatever way. */
  asked(): void {
    this.#hasLeft = false;
  }

  /** Takes an event of this session; whether its handlers are to be called. */
  take(event: ServerEvent, position: Position | undefined): boolean {
    if (this.#hasLeft && event.name !== 'feedback-required') {
      if (event.name === 'session-joined') this.#around.socket.emit('leave-session', this.#id);
      return false;
    }
    if (event.name === 'session-joined' && this.#isSecond) return false;
    if (!this.book.take(event, position)) return false;
    if (event.name === 'session-revoked') {
      this.#abandon();
      this.#slot?.remove();
    } else if (event.name === 'session-reset') {
      // As good as an answer, and newer than the one that is under way.
      this.#abandon();
      this.#isSettled = true;
    }
    this.#keep();
    return true;
  }

  #enter(): void {
    this.#isHeld = true;
    this.#hasLeft = false;
    this.#attempts = 0;
    this.book.stand({ status: 'joining' });
    if (this.#around.socket.connected) this.#ask();
  }

  #leave(): void {
    this.#isHeld = false;
    this.#hasLeft = true;
    this.#abandon();
    this.#slot?.remove();
    this.closed();
    this.book.forget({ status: 'idle' }, this.book.state);
    if (this.#around.socket.connected) this.#around.socket.emit('leave-session', this.#id);
  }

  /** Whatever is under way is of no interest any more. */
  #abandon(): void {
    this.#question++;
    this.#isSettled = false;
    this.#isSecond = false;
    this.#attempts = 0;
    this.#again.clear();
  }

  #ask(): void {
    const question = ++this.#question;
    this.#again.clear();
    const after = this.#position();
    const { socket } = this.#around;
    const options = after === undefined ? {} : { after };
    socket
      .timeout(ANSWER_MS)
      .emit('join-session', this.#id, options, (error: Error | null, answer: JoinAnswer) => {
        if (question !== this.#question) return;
        if (error !== null) this.#retry();
        else if (answer.ok) this.#joined(answer, after !== undefined);
        else this.#refused(answer.error, after !== undefined);
      });
  }

  /** What was seen last, in this page or in the one before it was reloaded. */
  #position(): string | undefined {
    if (this.book.seen !== undefined) return this.book.seen.text;
    const kept = this.#claim()?.read();
    const position = kept === undefined ? undefined : positionIn(kept, this.#id);
    if (position !== undefined) this.book.startAt(position);
    return position?.text;
  }

  #joined(answer: JoinAnswer & { ok: true }, hadPosition: boolean): void {
    this.#attempts = 0;
    const position = positionIn(answer.position, this.#id) ?? { text: answer.position, place: undefined };
    const isAhead = answer.recovered && !this.#isSecond;
    this.book.joined(answer, position, { isAhead, isReset: hadPosition && !answer.recovered });
    this.#isSettled = !isAhead;
    this.#isSecond = isAhead;
    if (isAhead) this.#ask();
    this.#keep();
  }

  #refused(error: { code: ErrorCode; message: string }, hadPosition: boolean): void {
    if (PASSING.includes(error.code)) return this.#retry();
    if (error.code === 'bad_request' && hadPosition) {
      // What was kept is no position to this edge.
      this.#slot?.remove();
      this.book.forgetPosition();
      return this.#ask();
    }
    this.#abandon();
    if (NO_ACCESS.includes(error.code)) {
      this.#slot?.remove();
      this.book.forgetPosition();
    }
    this.book.stand({ status: 'denied', error });
  }

  #retry(): void {
    // Otherwise the next connection asks.
    if (this.#around.socket.connected) this.#again.set(backoff(this.#attempts++), () => this.#ask());
  }

  #keep(): void {
    const { position } = this.book.state;
    if (this.#isHeld && position !== undefined) this.#claim()?.write(position);
  }

  #claim(): PositionSlot | undefined {
    return (this.#slot ??= this.#around.positions.claim(this.#around.user(), this.#id));
  }
}
