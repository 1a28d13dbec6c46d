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

/** Longer than every operation in these tests, including the delay of socket.io-client before it reconnects. */
const TIMEOUT_MS = 15_000;

export interface ReceivedEvent {
  name: keyof ServerToClientEvents;
  payload: Record<string, unknown>;
  cursor: string;
}

/** The session storage of a tab, which survives reloads of its page. */
export class TabStorage implements PositionStorage {
  readonly items = new Map<string, string>();

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }

  removeItem(key: string): void {
    this.items.delete(key);
  }
}

/** A page of a user, and every event that its handlers received. */
export class Page {
  readonly roomcast: Roomcast;
  readonly received: ReceivedEvent[] = [];

  constructor(server: RoomcastProcess | string, user: string, options: RoomcastOptions = {}) {
    const url = typeof server === 'string' ? server : server.url;
    const token = options.getToken === undefined ? { token: devToken(user) } : {};
    this.roomcast = createRoomcast({ url, storage: null, ...token, ...options });
    for (const name of serverToClientEvents) {
      this.roomcast.on(name, (payload: object, cursor: string) => {
        this.received.push({ name, payload: { ...payload }, cursor });
      });
    }
    onTestFinished(() => this.roomcast.close());
  }

  /** Opens a page and waits until it is connected. */
  static async open(...args: ConstructorParameters<typeof Page>): Promise<Page> {
    const page = new Page(...args);
    page.roomcast.connect();
    await page.connected();
    return page;
  }

  async connected(): Promise<void> {
    await this.until(() => this.roomcast.getSnapshot().status === 'connected');
  }

  session(id: string): SessionState {
    return this.roomcast.session(id).getSnapshot();
  }

  /** Holds a session, and waits until the page is in its room. */
  async join(id: string): Promise<() => void> {
    const leave = this.roomcast.join(id);
    await this.until(() => this.session(id).status === 'joined');
    return leave;
  }

  /** The status of each `session-updated`, in order. */
  get statuses(): unknown[] {
    const updates = this.received.filter(({ name }) => name === 'session-updated');
    return updates.map(({ payload }) => (payload['session'] as { status: string }).status);
  }

  names(): string[] {
    return this.received.map(({ name }) => name);
  }

  /** Closes the transport, as a network failure does. The page reconnects by itself. */
  async breakConnection(): Promise<void> {
    this.roomcast.socket.io.engine.close();
    await this.until(() => this.roomcast.getSnapshot().status !== 'connected');
  }

  /** Ends the page without leaving its sessions. Its storage contains what was written at `pagehide`. */
  async unload(): Promise<void> {
    await this.breakConnection();
    this.roomcast.close();
  }

  async until(condition: () => boolean): Promise<void> {
    await until(condition, () => ({ connection: this.roomcast.getSnapshot(), received: this.received }));
  }
}

/** Stops a process at the end of the test, also if the test fails. */
export function stopAfterTest<T extends { stop(): Promise<void> }>(process: T): T {
  onTestFinished(() => process.stop());
  return process;
}

/** Waits until the condition is true. */
export async function until(condition: () => boolean, context: () => unknown = () => ''): Promise<void> {
  const end = Date.now() + TIMEOUT_MS;
  while (!condition()) {
    if (Date.now() > end)
      throw new Error(`timed out: ${condition.toString()}\n${JSON.stringify(context(), null, 2)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
