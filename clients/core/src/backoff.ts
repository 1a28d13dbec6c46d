const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** Computes the delays between retries: they double up to 30 s, and each is shortened by up to half at random. */
export class Backoff {
  #attempts = 0;

  /** How often `next` was called after the last `reset`. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The delay before the next retry, in milliseconds. */
  next(): number {
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempts++);
    return longest * (1 - Math.random() / 2);
  }

  /** To be called after a success, or when the caller starts something new. */
  reset(): void {
    this.#attempts = 0;
  }
}
