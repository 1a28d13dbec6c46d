// One user's browser: its connection, tokens and log, and the faults that can be simulated.

import {
  createRoomcast,
  parseCursor,
  serverToClientEvents,
  type ConnectionState,
  type Position,
  type Roomcast,
} from '@roomcast/core';

import type { SessionRecord } from '../backend/session-record';
import { errorMessage } from '../error-message';
import { Store } from '../store';
import { BrowserLog } from './browser-log';
import { FIRST_EDGE, hostOf, otherEdge, type Edge } from './edges';
import { TokenSupply } from './token-supply';

// How long a cut connection stays closed, so that there is time to publish events.
export const CUT_MS = 5_000;
// The lifetime of the last token before the supply stops.
const LAST_TOKEN_SECONDS = 4;

const LOGGED_EVENTS: readonly string[] = ['session-updated', 'role-selected', 'feedback-updated'];

export class SimulatedBrowser {
  readonly client: Roomcast;
  readonly log: BrowserLog;
  readonly tokens: TokenSupply;
  readonly edge = new Store<Edge>(FIRST_EDGE);
  // When a cut connection reconnects, in milliseconds since the Unix epoch; undefined if it is not cut.
  readonly reconnectsAt = new Store<number | undefined>(undefined);
  readonly cursor = new Store<Position | undefined>(undefined);
  readonly sessionId: string;
  readonly #unsubscribe: (() => void)[] = [];
  #previousState: ConnectionState;
  #wasConnected = false;
  #wasJoined = false;
  // The number of reads of the record that will determine unknown arrivals.
  #pendingReads = 0;

  constructor(
    readonly user: string,
    private readonly record: SessionRecord,
    mintsTokens: boolean,
  ) {
    this.sessionId = record.sessionId;
    this.log = new BrowserLog(this.sessionId, user);
    this.tokens = new TokenSupply(user, mintsTokens);
    this.client = createRoomcast({ getToken: this.tokens.getToken });
    this.#previousState = this.client.getSnapshot();
    if (this.log.isRestored) this.log.addConnection('plain', 'The page was reloaded');
    this.#subscribe();
  }

  // Closes the transport of the connection, as a network failure does.
  cut(durationMs = CUT_MS): void {
    if (this.client.getSnapshot().status !== 'connected') return;
    const manager = this.client.socket.io;
    const defaults = {
      delay: manager.reconnectionDelay(),
      longest: manager.reconnectionDelayMax(),
      jitter: manager.randomizationFactor(),
    };
    manager.reconnectionDelay(durationMs).reconnectionDelayMax(durationMs).randomizationFactor(0);
    if (durationMs > 0) this.reconnectsAt.set(Date.now() + durationMs);
    manager.once('reconnect_attempt', () => {
      manager
        .reconnectionDelay(defaults.delay)
        .reconnectionDelayMax(defaults.longest)
        .randomizationFactor(defaults.jitter);
      this.reconnectsAt.set(undefined);
    });
    manager.engine.close();
  }

  // Lets the token expire, so that the edge closes the connection.
  async expireToken(): Promise<void> {
    const token = await this.tokens.issueLast(LAST_TOKEN_SECONDS);
    this.client.setToken(token);
    const text = `The token expires in ${LAST_TOKEN_SECONDS} s, and no new token is issued`;
    this.log.addConnection('plain', text);
  }

  // Reconnects to the other edge without involving the page's code, as a load balancer does.
  async moveToOtherEdge(): Promise<void> {
    try {
      const edge = await otherEdge(this.edge.getSnapshot());
      Reflect.set(this.client.socket.io, 'uri', edge.url);
      this.edge.set(edge);
      this.log.addConnection('plain', `The next connection uses ${edge.name}, ${hostOf(edge)}`);
      this.cut(0);
    } catch (error) {
      this.log.addConnection('bad', `The second edge did not start: ${errorMessage(error)}`);
    }
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.client.close();
  }

  #subscribe(): void {
    const view = this.client.session(this.sessionId);
    const updateCursor = () => this.#updateCursor(view.getSnapshot().position);
    const events = serverToClientEvents.map((name) =>
      this.client.on(name, (payload: unknown, cursor: string) => this.#handleEvent(name, payload, cursor)),
    );
    this.#unsubscribe.push(
      ...events,
      this.client.subscribe(() => this.#handleConnectionState(this.client.getSnapshot())),
      view.subscribe(updateCursor),
    );
    updateCursor();
  }

  #handleEvent(name: string, payload: unknown, cursor: string): void {
    if (!isAbout(payload, this.sessionId)) return;
    if (name === 'session-joined') return this.#handleJoined(payload);
    const position = LOGGED_EVENTS.includes(name) ? parseCursor(cursor, this.sessionId)?.position : undefined;
    const arrival = this.#pendingReads > 0 ? 'unknown' : 'live';
    this.log.addEvent({ name, payload, position, arrival });
    this.record.scheduleRead();
  }

  // The events that follow were replayed if the log contains them at this moment.
  #handleJoined(payload: object): void {
    const isResumed = this.#wasJoined || this.log.isRestored;
    this.#wasJoined = true;
    const after = isResumed ? (this.cursor.getSnapshot() ?? this.log.lastPosition()) : undefined;
    const role = 'role' in payload ? String(payload.role) : '';
    const continuation = after === undefined ? '' : `, continues after #${after.offset}`;
    this.log.addConnection('plain', `Joined as ${role}${continuation}`);
    if (!isResumed) return;
    this.#pendingReads += 1;
    void this.record.read().then((record) => {
      this.#pendingReads -= 1;
      this.log.resolveArrivals(record);
    });
  }

  #updateCursor(cursor: string | undefined): void {
    const next = cursor === undefined ? undefined : parseCursor(cursor, this.sessionId)?.position;
    const previous = this.cursor.getSnapshot();
    if (next?.epoch !== previous?.epoch || next?.offset !== previous?.offset) this.cursor.set(next);
  }

  #handleConnectionState(state: ConnectionState): void {
    const previous = this.#previousState;
    this.#previousState = state;
    switch (state.status) {
      case 'connected':
        if (previous.status !== 'connected') this.#logConnected(state.recovered);
        return;
      case 'reconnecting':
        if (previous.status !== 'reconnecting')
          this.log.addConnection('bad', `Connection lost: ${state.reason}`);
        return;
      case 'denied':
        this.log.addConnection('bad', `Connection denied: ${state.code}`);
        return;
      case 'ended':
        this.log.addConnection('bad', `Disconnected by the server: ${state.reason}`);
        return;
      case 'idle':
      case 'connecting':
        return;
    }
  }

  #logConnected(recovered: boolean): void {
    const { name } = this.edge.getSnapshot();
    if (recovered) {
      this.log.addConnection('good', `Reconnected through ${name}: recovered, no event was missed`, name);
    } else if (this.#wasConnected) {
      this.log.addConnection(
        'plain',
        `Reconnected through ${name}: a new connection, which joins again`,
        name,
      );
    } else {
      this.log.addConnection('plain', `Connected to ${name}`, name);
    }
    this.#wasConnected = true;
  }
}

function isAbout(payload: unknown, sessionId: string): payload is { sessionId: string } {
  return (
    typeof payload === 'object' &&
    payload !== null &&
    'sessionId' in payload &&
    payload.sessionId === sessionId
  );
}
