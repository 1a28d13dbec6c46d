import type { PositionStorage } from './roomcast-options.js';
import { Timer } from './timer.js';

/** The keys that are in use in this page, by where they are kept. */
const claimed = new WeakMap<PositionStorage, Set<string>>();

/** Keeps positions where they outlive the page, and writes them once a turn of the event loop. */
export class Positions {
  readonly #storage: PositionStorage | null;
  readonly #changed = new Map<string, string>();
  readonly #soon = new Timer();

  constructor(storage: PositionStorage | null = ofThePage()) {
    this.#storage = storage;
  }

  /**
   * A place for one session of one user. Two at a time do not share one: each has seen something else. `undefined`
   * where it is not known whose it would be.
   */
  claim(user: string | undefined, sessionId: string): PositionSlot | undefined {
    if (this.#storage === null || user === undefined) return undefined;
    const keys = claimed.get(this.#storage) ?? new Set();
    claimed.set(this.#storage, keys);
    const first = `roomcast:${user}:${sessionId}`;
    let key = first;
    for (let n = 2; keys.has(key); n++) key = `${first}#${n}`;
    keys.add(key);
    return new PositionSlot(this, key);
  }

  read(key: string): string | undefined {
    return this.#try((storage) => storage.getItem(key)) ?? undefined;
  }

  write(key: string, text: string): void {
    this.#changed.set(key, text);
    if (!this.#soon.isSet) this.#soon.set(0, () => this.flush());
  }

  remove(key: string): void {
    this.#changed.delete(key);
    this.#try((storage) => storage.removeItem(key));
  }

  release(key: string): void {
    this.flush();
    if (this.#storage !== null) claimed.get(this.#storage)?.delete(key);
  }

  /** Writes at once what waits to be written. */
  flush(): void {
    this.#soon.clear();
    for (const [key, text] of this.#changed) this.#try((storage) => storage.setItem(key, text));
    this.#changed.clear();
  }

  /** A storage may throw at any time: private modes, quotas. A position that is not kept costs a replay, no more. */
  #try<T>(use: (storage: PositionStorage) => T): T | undefined {
    try {
      return this.#storage === null ? undefined : use(this.#storage);
    } catch {
      return undefined;
    }
  }
}

/** Where the position of one session is kept. */
export class PositionSlot {
  readonly #positions: Positions;
  readonly #key: string;

  constructor(positions: Positions, key: string) {
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

  /** Another may have the place. What it holds stays. */
  release(): void {
    this.#positions.release(this.#key);
  }
}

function ofThePage(): PositionStorage | null {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}
