import { devToken, type RoomcastProcess } from '@roomcast/testing';
import { onTestFinished } from 'vitest';

import {
  createRoomcast,
  serverToClientEvents,
  type PositionStorage,
  type Roomcast,
  type RoomcastOptions,
  type ServerToClientEvents,
  type SessionState,
} from '../../src/index.js';

/** Longer than anything here takes, the stock client's wait before it comes back included. */
const PATIENCE_MS = 15_000;

export interface Seen {
  name: keyof ServerToClientEvents;
  payload: Record<string, unknown>;
  cursor: string;
}

/** What a tab keeps while its page reloads. */
export class Tab implements PositionStorage {
  readonly kept = new Map<string, string>();

  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.kept.set(key, value);
  }

  removeItem(key: string): void {
    this.kept.delete(key);
  }
}

/** A page of a user, and every event that its handlers were given. */
export class Page {
  readonly roomcast: Roomcast;
  readonly seen: Seen[] = [];

  constructor(at: RoomcastProcess | string, user: string, options: RoomcastOptions = {}) {
    const url = typeof at === 'string' ? at : at.url;
    const token = options.getToken === undefined ? { token: devToken(user) } : {};
    this.roomcast = createRoomcast({ url, storage: null, ...token, ...options });
    for (const name of serverToClientEvents) {
      this.roomcast.on(name, (payload: object, cursor: string) => {
        this.seen.push({ name, payload: { ...payload }, cursor });
      });
    }
    onTestFinished(() => this.roomcast.close());
  }

  /** A page that is connected. */
  static async open(...args: ConstructorParameters<typeof Page>): Promise<Page> {
    const page = new Page(...args);
    page.roomcast.connect();
    await page.connected();
    return page;
  }

  async connected(): Promise<void> {
    await this.until(() => this.roomcast.state.status === 'connected');
  }

  session(id: string): SessionState {
    return this.roomcast.session(id).state;
  }

  /** Holds a session until it is in its room. */
  async join(id: string): Promise<() => void> {
    const leave = this.roomcast.join(id);
    await this.until(() => this.session(id).status === 'joined');
    return leave;
  }

  /** Every status that `session-updated` told of, in order. */
  get statuses(): unknown[] {
    const updates = this.seen.filter(({ name }) => name === 'session-updated');
    return updates.map(({ payload }) => (payload['session'] as { status: string }).status);
  }

  names(): string[] {
    return this.seen.map(({ name }) => name);
  }

  /** The connection breaks underneath. The page comes back by itself. */
  async breakConnection(): Promise<void> {
    this.roomcast.socket.io.engine.close();
    await this.until(() => this.roomcast.state.status !== 'connected');
  }

  /** The page is gone without a word; a storage has what it has at `pagehide`. */
  async unload(): Promise<void> {
    await this.breakConnection();
    this.roomcast.close();
  }

  async until(holds: () => boolean): Promise<void> {
    await until(holds, () => ({ connection: this.roomcast.state, seen: this.seen }));
  }
}

/** Looks again and again until it holds. */
export async function until(holds: () => boolean, shown: () => unknown = () => ''): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!holds()) {
    if (Date.now() > end)
      throw new Error(`in vain: ${holds.toString()}\n${JSON.stringify(shown(), null, 2)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
