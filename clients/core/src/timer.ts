/** The longest that `setTimeout` waits: beyond it, it fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/** One thing that is to happen later, for however long. Setting it again replaces it. */
export class Timer {
  #handle: ReturnType<typeof setTimeout> | undefined;

  set(ms: number, then: () => void): void {
    this.clear();
    const now = Math.min(ms, LONGEST_MS);
    this.#handle = setTimeout(() => {
      this.#handle = undefined;
      if (ms > now) this.set(ms - now, then);
      else then();
    }, now);
  }

  get isSet(): boolean {
    return this.#handle !== undefined;
  }

  clear(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }
}

/** How long to wait before try number `attempt` + 1: twice as long each time, and a random half of it less. */
export function backoff(attempt: number): number {
  const most = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
  return most * (1 - Math.random() / 2);
}
