// One user's browser: a connection of its own, its tokens, its log, and what can be done to it.

import {
  createRoomcast,
  type ConnectionState,
  type Roomcast,
  type ServerToClientEvents,
} from '@roomcast/core';

import { words } from '../backend/bridge';
import type { SessionRecord } from '../backend/session-record';
import { Store } from '../store';
import { another, HOME, host, type Edge } from './edges';
import { VisitorLog } from './browser-log';
import { positionIn, type Position } from './position';
import { Tokens } from './token-supply';

// How long a cut connection stays away, so that there is time to publish something.
export const AWAY_MS = 5_000;
// How long a token is good that is let expire.
const LAST_TOKEN_SECONDS = 4;

const EVENTS = [
  'session-joined',
  'session-updated',
  'role-selected',
  'feedback-required',
  'feedback-updated',
  'session-revoked',
  'session-reset',
  'session-error',
] as const satisfies readonly (keyof ServerToClientEvents)[];

export class Visitor {
  readonly client: Roomcast;
  readonly log: VisitorLog;
  readonly tokens: Tokens;
  readonly edge = new Store<Edge>(HOME);
  // Until when a cut connection stays away.
  readonly away = new Store<number | undefined>(undefined);
  readonly cursor = new Store<Position | undefined>(undefined);
  readonly #ends: (() => void)[] = [];
  #before: ConnectionState;
  #wasConnected = false;

  readonly session: string;
  #joinedBefore = false;
  #settling = 0;

  constructor(
    readonly user: string,
    private readonly record: SessionRecord,
    mints: boolean,
  ) {
    const { session } = record;
    this.session = session;
    this.log = new VisitorLog(session, user);
    this.tokens = new Tokens(user, mints);
    this.client = createRoomcast({ getToken: this.tokens.get });
    this.#before = this.client.state;
    if (this.log.reloaded) this.log.turn('plain', 'The page was loaded again');
    for (const name of EVENTS) {
      this.#ends.push(
        this.client.on(name, (payload: unknown, cursor?: unknown) => this.#told(name, payload, cursor)),
      );
    }
    const view = this.client.session(session);
    this.#ends.push(
      this.client.onState(() => this.#turned()),
      view.onState(() => this.#moved(view.state.position)),
    );
    this.#moved(view.state.position);
  }

  // Ends the transport under the connection, as a network that goes away does.
  cut(awayMs = AWAY_MS): void {
    if (this.client.state.status !== 'connected') return;
    const manager = this.client.socket.io;
    const usual = {
      delay: manager.reconnectionDelay(),
      most: manager.reconnectionDelayMax(),
      jitter: manager.randomizationFactor(),
    };
    manager.reconnectionDelay(awayMs).reconnectionDelayMax(awayMs).randomizationFactor(0);
    if (awayMs > 0) this.away.set(Date.now() + awayMs);
    manager.once('reconnect_attempt', () => {
      manager
        .reconnectionDelay(usual.delay)
        .reconnectionDelayMax(usual.most)
        .randomizationFactor(usual.jitter);
      this.away.set(undefined);
    });
    manager.engine.close();
  }

  // Lets the edge close the connection for want of a good token.
  async expire(): Promise<void> {
    const token = await this.tokens.last(LAST_TOKEN_SECONDS);
    this.client.setToken(token);
    this.log.turn('plain', `Its token is good for ${LAST_TOKEN_SECONDS} s, and no new one is handed out`);
  }

  // The next connection goes to the other edge: as behind a load balancer, the page itself notices nothing of it.
  async move(): Promise<void> {
    try {
      const edge = await another(this.edge.read());
      Reflect.set(this.client.socket.io, 'uri', edge.url);
      this.edge.set(edge);
      this.log.turn('plain', `Its next connection goes to ${edge.name}, ${host(edge)}`);
      this.cut(0);
    } catch (error) {
      this.log.turn('bad', `No second edge: ${words(error)}`);
    }
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
    this.client.close();
  }

  #told(name: string, payload: unknown, cursor: unknown): void {
    if (!concerns(payload, this.session)) return;
    if (name === 'session-joined') return this.#joined(payload);
    const inLog = name === 'session-updated' || name === 'role-selected' || name === 'feedback-updated';
    const position = inLog ? positionIn(cursor, this.session) : undefined;
    this.log.told({ name, payload, position, arrival: this.#settling > 0 ? 'unknown' : 'live' });
    this.record.touch();
  }

  // What comes now was in the log already, up to the tail that it has at this moment.
  #joined(payload: unknown): void {
    const resumed = this.#joinedBefore || this.log.reloaded;
    this.#joinedBefore = true;
    const after = resumed ? (this.cursor.read() ?? this.log.last()) : undefined;
    const role =
      typeof payload === 'object' && payload !== null && 'role' in payload ? String(payload.role) : '';
    const from = after === undefined ? '' : `, goes on after #${after.offset}`;
    this.log.turn('plain', `In the session as ${role}${from}`);
    if (!resumed) return;
    this.#settling += 1;
    void this.record.read().then((tail) => {
      this.#settling -= 1;
      this.log.settle(tail);
    });
  }

  #moved(cursor: string | undefined): void {
    const now = positionIn(cursor, this.session);
    const before = this.cursor.read();
    if (now?.epoch !== before?.epoch || now?.offset !== before?.offset) this.cursor.set(now);
  }

  #turned(): void {
    const [before, now] = [this.#before, this.client.state];
    this.#before = now;
    switch (now.status) {
      case 'connected':
        if (before.status === 'connected') return;
        this.log.turn(...this.#connected(now.recovered));
        this.#wasConnected = true;
        return;
      case 'reconnecting':
        if (before.status !== 'reconnecting') this.log.turn('bad', `Connection lost: ${now.reason}`);
        return;
      case 'refused':
        this.log.turn('bad', `Refused: ${now.code}`);
        return;
      case 'ended':
        this.log.turn('bad', `Ended by the server: ${now.reason}`);
        return;
      case 'idle':
      case 'connecting':
        return;
    }
  }

  #connected(recovered: boolean): ['good' | 'plain', string] {
    const edge = this.edge.read().name;
    if (recovered) return ['good', `Back by ${edge}: recovered, nothing was missed`];
    return this.#wasConnected
      ? ['plain', `Back by ${edge}: a new connection, which joins again`]
      : ['plain', `Connected to ${edge}`];
  }
}

function concerns(payload: unknown, session: string): boolean {
  return (
    typeof payload === 'object' && payload !== null && 'sessionId' in payload && payload.sessionId === session
  );
}
