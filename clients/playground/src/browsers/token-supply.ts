// Issues tokens to one browser, as the backend of an application does. It can stop issuing them.

import { mintToken } from '../backend/bridge';
import { Store } from '../store';

const TTL_SECONDS = 3600;

export type SupplyState =
  | { readonly status: 'issuing' }
  // No new token until `resume`. The last token expires at `expiresAt` (milliseconds since the Unix epoch).
  | { readonly status: 'stopped'; readonly expiresAt: number }
  // This `roomcast dev` mints no tokens, so the user must enter one.
  | { readonly status: 'manual' };

export class TokenSupply {
  readonly state: Store<SupplyState>;
  #enteredToken: string | undefined;
  #waiting: (() => void)[] = [];

  constructor(
    private readonly user: string,
    mintsTokens: boolean,
  ) {
    this.state = new Store<SupplyState>(mintsTokens ? { status: 'issuing' } : { status: 'manual' });
  }

  // The connection calls this whenever it needs a token.
  readonly getToken = async (): Promise<string> => {
    while (!this.#isAvailable()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.state.getSnapshot().status === 'issuing') return mintToken(this.user, TTL_SECONDS);
    const token = this.#enteredToken ?? '';
    this.#enteredToken = undefined;
    return token;
  };

  // Issues one more token, then none until `resume`.
  async issueLast(ttlSeconds: number): Promise<string> {
    const token = await mintToken(this.user, ttlSeconds);
    this.state.set({ status: 'stopped', expiresAt: Date.now() + ttlSeconds * 1000 });
    return token;
  }

  resume(): void {
    this.state.set({ status: 'issuing' });
    this.#continueWaiting();
  }

  enter(token: string): void {
    this.#enteredToken = token;
    this.#continueWaiting();
  }

  #isAvailable(): boolean {
    const { status } = this.state.getSnapshot();
    return status === 'issuing' || (status === 'manual' && this.#enteredToken !== undefined);
  }

  #continueWaiting(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
