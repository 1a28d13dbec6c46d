import { Backoff } from './backoff.js';
import { now } from './clock.js';
import type { ConnectionState } from './connection-state.js';
import { connectErrorCodes, type RefreshResponse } from './generated.js';
import { isRetryable } from './is-retryable.js';
import { Listeners } from './listeners.js';
import { renewalDelay } from './renewal-delay.js';
import type { RoomcastSocket } from './roomcast-socket.js';
import { Timer } from './timer.js';
import type { TokenSource } from './token-source.js';

/** An edge responds immediately, except while it fetches verification keys. */
const RESPONSE_TIMEOUT_MS = 10_000;

/** Connects a socket with a valid token, reconnects it, and renews the token on the live connection. */
export class Connection {
  readonly listeners = new Listeners();
  readonly #socket: RoomcastSocket;
  readonly #tokens: TokenSource;
  readonly #onUserChanged: () => void;
  readonly #renewalTimer = new Timer();
  readonly #retryTimer = new Timer();
  readonly #backoff = new Backoff();
  readonly #renewalBackoff = new Backoff();
  #state: ConnectionState = { status: 'idle' };
  #isWanted = false;
  /** Increases with each attempt to connect, so that results of earlier attempts are ignored. */
  #attempt = 0;

  /** `onUserChanged` is called when the token of another user is set, while the socket is disconnected. */
  constructor(socket: RoomcastSocket, tokens: TokenSource, onUserChanged: () => void) {
    this.#socket = socket;
    this.#tokens = tokens;
    this.#onUserChanged = onUserChanged;
    socket.auth = (send) => this.#authenticate(send);
    socket.on('disconnect', (reason) => this.#handleDisconnect(reason));
    socket.on('connect_error', (error) => this.#handleConnectError(error));
  }

  get state(): ConnectionState {
    return this.#state;
  }

  connect(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#backoff.reset();
    this.#setState({ status: 'connecting' });
    this.#open();
  }

  close(): void {
    this.#isWanted = false;
    this.#cancelAttempt();
    this.#socket.disconnect();
    this.#setState({ status: 'idle' });
  }

  /** To be called when the socket is connected. */
  handleConnect(): void {
    this.#isWanted = true;
    this.#backoff.reset();
    this.#setState({ status: 'connected', recovered: this.#socket.recovered });
    this.#scheduleRenewal();
  }

  setToken(token: string): void {
    const { status } = this.#state;
    if (token === this.#tokens.token && status !== 'denied') return;
    if (this.#replaceToken(token)) return;
    if (this.#socket.connected) {
      this.#renewalBackoff.reset();
      this.#sendToken(token);
    } else if (status === 'denied') {
      this.connect();
    } else if (this.#isWanted && !this.#socket.active) {
      // The connection was waiting for a token or for its retry.
      this.#backoff.reset();
      this.#open();
    }
  }

  #cancelAttempt(): void {
    this.#attempt++;
    this.#retryTimer.clear();
    this.#renewalTimer.clear();
  }

  /** Opens the socket, after fetching a token if necessary. */
  #open(): void {
    this.#cancelAttempt();
    const attempt = this.#attempt;
    if (this.#tokens.isUsable() || !this.#tokens.canFetch) {
      this.#socket.connect();
      return;
    }
    this.#tokens.fetch().then(
      (token) => {
        if (attempt !== this.#attempt) return;
        if (!this.#replaceToken(token)) this.#socket.connect();
      },
      () => {
        if (attempt === this.#attempt) this.#openLater('no token');
      },
    );
  }

  #openLater(reason: string): void {
    this.#socket.disconnect();
    this.#setReconnecting(reason);
    this.#retryTimer.set(this.#backoff.next(), () => this.#open());
  }

  /** Called by the socket for each connection that it opens, including its own reconnections. */
  #authenticate(send: (auth: object) => void): void {
    const { token } = this.#tokens;
    if (!this.#tokens.canFetch || this.#tokens.isUsable()) send(token === undefined ? {} : { token });
    // Without a usable token, this attempt is replaced by one that fetches a token first.
    else queueMicrotask(() => this.#isWanted && this.#reopen());
  }

  #reopen(): void {
    this.#socket.disconnect();
    this.#open();
  }

  /** Stores the token. If it is another user's, starts a new connection and returns true. */
  #replaceToken(token: string): boolean {
    const previous = this.#tokens.user;
    this.#tokens.set(token);
    const { user } = this.#tokens;
    if (previous === undefined || user === undefined || user === previous) return false;
    const mustConnect = this.#isWanted || this.#state.status === 'denied';
    this.#isWanted = false;
    this.#cancelAttempt();
    this.#socket.disconnect();
    this.#onUserChanged();
    if (mustConnect) this.connect();
    return true;
  }

  #handleDisconnect(reason: string): void {
    this.#renewalTimer.clear();
    if (reason === 'io server disconnect') {
      this.#isWanted = false;
      this.#cancelAttempt();
      this.#setState({ status: 'ended', reason });
    } else if (reason !== 'io client disconnect') {
      this.#setReconnecting(reason);
    } else if (this.#isWanted) {
      // The page disconnected the raw socket itself.
      this.close();
    }
  }

  #handleConnectError({ message }: Error): void {
    // No edge was reached. The socket retries by itself.
    if (this.#socket.active) return this.#setReconnecting(message);
    if (message === 'token_expired' && this.#tokens.canFetch) {
      this.#tokens.markExpired();
      this.#setReconnecting(message);
      this.#openWithFreshToken();
    } else if (message === 'unavailable') {
      this.#openLater(message);
    } else {
      this.#isWanted = false;
      this.#cancelAttempt();
      const isTokenError = connectErrorCodes.some((code) => code === message);
      const text = isTokenError ? 'the edge denied the token' : 'the edge denied the connection';
      this.#setState({ status: 'denied', code: message, message: text });
    }
  }

  /** The first attempt is made immediately, because tokens expire in normal operation. */
  #openWithFreshToken(): void {
    const isFirst = this.#backoff.attempts === 0;
    // Every attempt counts, so that the first retry already waits longer.
    this.#backoff.next();
    if (isFirst) this.#open();
    else this.#openLater('token_expired');
  }

  #scheduleRenewal(): void {
    this.#renewalBackoff.reset();
    const { claims } = this.#tokens;
    if (!this.#tokens.canFetch || claims === undefined) return;
    this.#renewalTimer.set(renewalDelay(claims, now()), () => this.#renew());
  }

  #renew(): void {
    const attempt = this.#attempt;
    this.#tokens.fetch().then(
      (token) => {
        if (attempt !== this.#attempt || this.#replaceToken(token)) return;
        if (this.#socket.connected) this.#sendToken(token);
      },
      () => {
        if (attempt === this.#attempt) this.#retryRenewal();
      },
    );
  }

  #retryRenewal(): void {
    if (this.#socket.connected) this.#renewalTimer.set(this.#renewalBackoff.next(), () => this.#renew());
  }

  /** Sends a token on the live connection. */
  #sendToken(token: string): void {
    const acknowledge = (error: Error | null, response: RefreshResponse | undefined) => {
      // After a disconnection or a newer token, the next connection or request sends the current token.
      if (token !== this.#tokens.token || !this.#socket.connected) return;
      if (error === null && response?.ok) {
        this.#tokens.confirm(Date.parse(response.expiresAt));
        this.#scheduleRenewal();
      } else if (this.#tokens.canFetch) {
        this.#retryRenewal();
      } else if (response?.ok !== false || isRetryable(response.error.code)) {
        this.#renewalTimer.set(this.#renewalBackoff.next(), () => this.#sendToken(token));
      }
    };
    this.#socket.timeout(RESPONSE_TIMEOUT_MS).emit('refresh-token', token, acknowledge);
  }

  #setReconnecting(reason: string): void {
    if (this.#state.status === 'reconnecting' && this.#state.reason === reason) return;
    this.#setState({ status: 'reconnecting', reason });
  }

  #setState(state: ConnectionState): void {
    if (state.status === 'idle' && this.#state.status === 'idle') return;
    this.#state = state;
    this.listeners.notify();
  }
}
