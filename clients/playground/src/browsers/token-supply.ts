// Hands a browser its tokens, as a product's own backend would, and can withhold them.

import { Store } from '../store';
import { mint } from '../backend/bridge';

const TTL_SECONDS = 3600;

export type Supply =
  | { readonly state: 'open' }
  // No new token until someone releases it; the last one is good until then.
  | { readonly state: 'withheld'; readonly until: number }
  // This `dev` makes no tokens: one has to be given.
  | { readonly state: 'by hand' };

export class Tokens {
  readonly supply: Store<Supply>;
  #given: string | undefined;
  #waiting: (() => void)[] = [];

  constructor(
    private readonly user: string,
    made: boolean,
  ) {
    this.supply = new Store<Supply>(made ? { state: 'open' } : { state: 'by hand' });
  }

  // Asked by the connection whenever it needs one.
  readonly get = async (): Promise<string> => {
    while (
      this.supply.read().state === 'withheld' ||
      (this.supply.read().state === 'by hand' && this.#given === undefined)
    ) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.supply.read().state === 'open') return mint(this.user, TTL_SECONDS);
    const given = this.#given ?? '';
    this.#given = undefined;
    return given;
  };

  // A token that is soon over, after which there is none.
  async last(ttlSeconds: number): Promise<string> {
    const token = await mint(this.user, ttlSeconds);
    this.supply.set({ state: 'withheld', until: Date.now() + ttlSeconds * 1000 });
    return token;
  }

  release(): void {
    this.supply.set({ state: 'open' });
    this.#wake();
  }

  give(token: string): void {
    this.#given = token;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
