import type { ConnectionState } from './connection-state.js';
import { connectErrorCodes, type ErrorCode, type RefreshAnswer } from './generated.js';
import type { RoomcastSocket } from './create-roomcast.js';
import { backoff, Timer } from './timer.js';
import { renewalDelay } from './token-claims.js';
import type { Tokens } from './token-source.js';
import { Watchers } from './listeners.js';

/** An edge answers at once, unless it has to fetch keys. */
const ANSWER_MS = 10_000;

const PASSING: readonly ErrorCode[] = ['unavailable', 'rate_limited'];

/** Gets a socket connected with a token that is good, and keeps it so. */
export class Connection {
  readonly watchers = new Watchers();
  readonly #socket: RoomcastSocket;
  readonly #tokens: Tokens;
  readonly #anotherUser: () => void;
  readonly #renewal = new Timer();
  readonly #again = new Timer();
  #state: ConnectionState = { status: 'idle' };
  #isWanted = false;
  /** Numbers beginnings: what an earlier one waited for is of no interest. */
  #beginning = 0;
  /** How often in a row it could not begin. */
  #failures = 0;
  #renewalFailures = 0;

  /** `anotherUser` is called when the token is another user's than before, while the socket is not connected. */
  constructor(socket: RoomcastSocket, tokens: Tokens, anotherUser: () => void) {
    this.#socket = socket;
    this.#tokens = tokens;
    this.#anotherUser = anotherUser;
    socket.auth = (show) => this.#authenticate(show);
    socket.on('disconnect', (reason) => this.#disconnected(reason));
    socket.on('connect_error', (error) => this.#failed(error));
  }

  get state(): ConnectionState {
    return this.#state;
  }

  connect(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#failures = 0;
    this.#become({ status: 'connecting' });
    this.#begin();
  }

  close(): void {
    this.#isWanted = false;
    this.#stop();
    this.#socket.disconnect();
    this.#become({ status: 'idle' });
  }

  /** To be called when the socket is connected. */
  connected(): void {
    this.#isWanted = true;
    this.#failures = 0;
    this.#become({ status: 'connected', recovered: this.#socket.recovered });
    this.#renewLater();
  }

  setToken(token: string): void {
    const { status } = this.#state;
    if (token === this.#tokens.token && status !== 'refused') return;
    if (this.#adopt(token)) return;
    if (this.#socket.connected) {
      this.#renewalFailures = 0;
      this.#show(token);
    } else if (status === 'refused') {
      this.connect();
    } else if (this.#isWanted && !this.#socket.active) {
      // It waits for a token, or until it tries again.
      this.#failures = 0;
      this.#begin();
    }
  }

  #stop(): void {
    this.#beginning++;
    this.#again.clear();
    this.#renewal.clear();
  }

  /** Opens the socket, once there is a token to show. */
  #begin(): void {
    this.#stop();
    const beginning = this.#beginning;
    if (this.#tokens.isGood(Date.now()) || !this.#tokens.canGet) {
      this.#socket.connect();
      return;
    }
    this.#tokens.get().then(
      (token) => {
        if (beginning !== this.#beginning) return;
        if (!this.#adopt(token)) this.#socket.connect();
      },
      () => {
        if (beginning === this.#beginning) this.#beginLater('no token');
      },
    );
  }

  #beginLater(reason: string): void {
    this.#socket.disconnect();
    this.#reconnecting(reason);
    this.#again.set(backoff(this.#failures++), () => this.#begin());
  }

  /** Called by the socket for each connection that it opens, also when it comes back by itself. */
  #authenticate(show: (auth: object) => void): void {
    const { token } = this.#tokens;
    if (!this.#tokens.canGet || this.#tokens.isGood(Date.now())) show(token === undefined ? {} : { token });
    // Its turn comes again when there is a token.
    else queueMicrotask(() => this.#isWanted && this.#restart());
  }

  #restart(): void {
    this.#socket.disconnect();
    this.#begin();
  }

  /** Whether the token is another user's, so that a connection of that user begins. */
  #adopt(token: string): boolean {
    const before = this.#tokens.user;
    this.#tokens.set(token);
    const { user } = this.#tokens;
    if (before === undefined || user === undefined || user === before) return false;
    const goesOn = this.#isWanted || this.#state.status === 'refused';
    this.#isWanted = false;
    this.#stop();
    this.#socket.disconnect();
    this.#anotherUser();
    if (goesOn) this.connect();
    return true;
  }

  #disconnected(reason: string): void {
    this.#renewal.clear();
    if (reason === 'io server disconnect') {
      this.#isWanted = false;
      this.#stop();
      this.#become({ status: 'ended', reason });
    } else if (reason !== 'io client disconnect') {
      this.#reconnecting(reason);
    } else if (this.#isWanted) {
      // Not our own doing: the page's, by way of the raw socket.
      this.close();
    }
  }

  #failed({ message }: Error): void {
    // The way to an edge; the socket tries again by itself.
    if (this.#socket.active) return this.#reconnecting(message);
    if (message === 'token_expired' && this.#tokens.canGet) {
      this.#tokens.refuse();
      this.#reconnecting(message);
      // The first time is in the order of things.
      if (this.#failures++ === 0) this.#begin();
      else this.#beginLater(message);
    } else if (message === 'unavailable') {
      this.#beginLater(message);
    } else {
      this.#isWanted = false;
      this.#stop();
      const isToken = connectErrorCodes.some((code) => code === message);
      const text = isToken ? 'the edge did not take the token' : 'the edge refused the connection';
      this.#become({ status: 'refused', code: message, message: text });
    }
  }

  #renewLater(): void {
    this.#renewalFailures = 0;
    const { claims } = this.#tokens;
    if (!this.#tokens.canGet || claims === undefined) return;
    this.#renewal.set(renewalDelay(claims, Date.now()), () => this.#renew());
  }

  #renew(): void {
    const beginning = this.#beginning;
    this.#tokens.get().then(
      (token) => {
        if (beginning !== this.#beginning || this.#adopt(token)) return;
        if (this.#socket.connected) this.#show(token);
      },
      () => {
        if (beginning === this.#beginning) this.#renewAgain();
      },
    );
  }

  #renewAgain(): void {
    if (this.#socket.connected) this.#renewal.set(backoff(this.#renewalFailures++), () => this.#renew());
  }

  /** Shows a token on the live connection. */
  #show(token: string): void {
    const answered = (error: Error | null, answer: RefreshAnswer | undefined) => {
      // Otherwise the next connection shows it.
      if (token !== this.#tokens.token || !this.#socket.connected) return;
      if (error === null && answer?.ok) {
        this.#tokens.confirm(Date.parse(answer.expiresAt));
        this.#renewLater();
      } else if (this.#tokens.canGet) {
        this.#renewAgain();
      } else if (answer?.ok !== false || PASSING.includes(answer.error.code)) {
        this.#renewal.set(backoff(this.#renewalFailures++), () => this.#show(token));
      }
    };
    this.#socket.timeout(ANSWER_MS).emit('refresh-token', token, answered);
  }

  #reconnecting(reason: string): void {
    const { status } = this.#state;
    if (status === 'reconnecting' && this.#state.reason === reason) return;
    this.#become({ status: 'reconnecting', reason });
  }

  #become(state: ConnectionState): void {
    if (state.status === 'idle' && this.#state.status === 'idle') return;
    this.#state = state;
    this.watchers.tell();
  }
}
