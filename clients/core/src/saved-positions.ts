import type { PositionStorage } from './position-storage.js';
import { Timer } from './timer.js';

/** The keys that are in use in this page, by storage. */
const claimedKeys = new WeakMap<PositionStorage, Set<string>>();

/** Saves positions in a storage. Writes are batched: one batch per turn of the event loop. */
export class SavedPositions {
  readonly #storage: PositionStorage | null;
  readonly #unwritten = new Map<string, string>();
  readonly #writeTimer = new Timer();

  constructor(storage: PositionStorage | null = pageStorage()) {
    this.#storage = storage;
  }

  /**
   * Claims a key for one session of one user. Two claims never share a key at the same time, because each page has seen
   * different events. Returns `undefined` if there is no storage or if the user is unknown.
   */
  claim(user: string | undefined, sessionId: string): SavedPosition | undefined {
    if (this.#storage === null || user === undefined) return undefined;
    const keys = claimedKeys.get(this.#storage) ?? new Set();
    claimedKeys.set(this.#storage, keys);
    const base = `roomcast:${user}:${sessionId}`;
    let key = base;
    for (let n = 2; keys.has(key); n++) key = `${base}#${n}`;
    keys.add(key);
    return new SavedPosition(this, key);
  }

  read(key: string): string | undefined {
    return this.#try((storage) => storage.getItem(key)) ?? undefined;
  }

  write(key: string, text: string): void {
    this.#unwritten.set(key, text);
    if (!this.#writeTimer.isSet) this.#writeTimer.set(0, () => this.flush());
  }

  remove(key: string): void {
    this.#unwritten.delete(key);
    this.#try((storage) => storage.removeItem(key));
  }

  release(key: string): void {
    this.flush();
    if (this.#storage !== null) claimedKeys.get(this.#storage)?.delete(key);
  }

  /** Writes the current batch immediately. */
  flush(): void {
    this.#writeTimer.clear();
    for (const [key, text] of this.#unwritten) this.#try((storage) => storage.setItem(key, text));
    this.#unwritten.clear();
  }

  /** A storage may throw at any time (private mode, quota). A position that is not saved only costs a replay. */
  #try<T>(use: (storage: PositionStorage) => T): T | undefined {
    try {
      return this.#storage === null ? undefined : use(this.#storage);
    } catch {
      return undefined;
    }
  }
}

/** The saved position of one session. */
export class SavedPosition {
  readonly #positions: SavedPositions;
  readonly #key: string;

  constructor(positions: SavedPositions, key: string) {
    this.#positions = positions;
    this.#key = key;
  }

  read(): string | undefined {
    return this.#positions.read(this.#key);
  }

  write(text: string): void {
    this.#positions.write(this.#key, text);
  }

  remove(): void {
    this.#positions.remove(this.#key);
  }

  /** Allows another claim of the key. The position stays saved. */
  release(): void {
    this.#positions.release(this.#key);
  }
}

function pageStorage(): PositionStorage | null {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}
