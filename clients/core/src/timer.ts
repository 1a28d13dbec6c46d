/** The longest delay of `setTimeout`, which fires immediately for a longer one. */
const LONGEST_MS = 2 ** 31 - 1;

/** Runs one callback later, after a delay of any length. Setting the timer again replaces the callback. */
export class Timer {
  #handle: ReturnType<typeof setTimeout> | undefined;

  set(ms: number, callback: () => void): void {
    this.clear();
    const step = Math.min(ms, LONGEST_MS);
    this.#handle = setTimeout(() => {
      this.#handle = undefined;
      if (ms > step) this.set(ms - step, callback);
      else callback();
    }, step);
  }

  get isSet(): boolean {
    return this.#handle !== undefined;
  }

  clear(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }
}
