/**
 * A set of functions that are called together. An error in one of them does not stop the others: it is reported as an
 * uncaught error.
 */
export class Listeners<Args extends unknown[] = []> {
  readonly #entries = new Set<{ readonly listener: (...args: Args) => void }>();

  /** Adds the listener, also if it was added before. The returned function removes this addition. */
  add(listener: (...args: Args) => void): () => void {
    const entry = { listener };
    this.#entries.add(entry);
    return () => this.#entries.delete(entry);
  }

  /** Removes the listener. If it was added several times, one of them is removed. */
  delete(listener: (...args: Args) => void): void {
    for (const entry of this.#entries)
      if (entry.listener === listener) return void this.#entries.delete(entry);
  }

  /** Calls every listener. Additions and removals during the calls take effect afterwards. */
  notify(...args: Args): void {
    for (const { listener } of [...this.#entries]) {
      try {
        listener(...args);
      } catch (error) {
        setTimeout(() => {
          throw error;
        });
      }
    }
  }
}
