/** Functions that are told. One that throws stops no other: what it throws is uncaught, as if it were alone. */
export class Watchers<Args extends unknown[] = []> {
  readonly #all = new Set<{ readonly watcher: (...args: Args) => void }>();

  /** Adds it, once more where it is there already. The function that it gives takes that one away. */
  add(watcher: (...args: Args) => void): () => void {
    const entry = { watcher };
    this.#all.add(entry);
    return () => this.#all.delete(entry);
  }

  /** Takes it away, once. */
  delete(watcher: (...args: Args) => void): void {
    for (const entry of this.#all) if (entry.watcher === watcher) return void this.#all.delete(entry);
  }

  tell(...args: Args): void {
    for (const { watcher } of [...this.#all]) {
      try {
        watcher(...args);
      } catch (error) {
        setTimeout(() => {
          throw error;
        });
      }
    }
  }
}
