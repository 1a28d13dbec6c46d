import { now } from './clock.js';
import { Timer } from './timer.js';
import { readClaims, type TokenClaims } from './token-claims.js';

/** A token fetched this recently is used even if it seems to have expired, because the page's clock may be wrong. */
const FRESH_MS = 10_000;

const FETCH_TIMEOUT_MS = 30_000;

/** The current token, and the way to fetch another one. */
export class TokenSource {
  readonly #getToken: (() => string | Promise<string>) | undefined;
  readonly #userClaim: string;
  #token: string | undefined;
  #claims: TokenClaims | undefined;
  #fetchedAt = -Infinity;
  #isReportedExpired = false;
  #pendingFetch: Promise<string> | undefined;

  constructor(
    token: string | undefined,
    getToken: (() => string | Promise<string>) | undefined,
    userClaim: string,
  ) {
    this.#getToken = getToken;
    this.#userClaim = userClaim;
    if (token !== undefined) this.set(token);
  }

  get token(): string | undefined {
    return this.#token;
  }

  get claims(): TokenClaims | undefined {
    return this.#claims;
  }

  get user(): string | undefined {
    return this.#claims?.user;
  }

  get canFetch(): boolean {
    return this.#getToken !== undefined;
  }

  set(token: string): void {
    this.#token = token;
    this.#claims = readClaims(token, this.#userClaim);
    this.#isReportedExpired = false;
  }

  /** To be called when an edge accepted the token. `expiresAt` is the edge's value, which may be `NaN`. */
  confirm(expiresAt: number): void {
    if (this.#claims !== undefined && !Number.isNaN(expiresAt)) this.#claims = { ...this.#claims, expiresAt };
  }

  /** To be called when an edge reported that the token has expired. */
  markExpired(): void {
    this.#isReportedExpired = true;
  }

  /** Whether the current token seems to be valid. */
  isUsable(): boolean {
    if (this.#token === undefined || this.#isReportedExpired) return false;
    return now() < (this.#claims?.expiresAt ?? Infinity) || now() - this.#fetchedAt < FRESH_MS;
  }

  /** Fetches another token without storing it. Concurrent calls share one fetch. */
  fetch(): Promise<string> {
    this.#pendingFetch ??= this.#fetch().finally(() => (this.#pendingFetch = undefined));
    return this.#pendingFetch;
  }

  async #fetch(): Promise<string> {
    const timer = new Timer();
    const timeout = new Promise<never>((_, reject) => {
      timer.set(FETCH_TIMEOUT_MS, () => reject(new Error('getToken timed out after 30 s')));
    });
    try {
      const token: unknown = await Promise.race([this.#getToken?.(), timeout]);
      if (typeof token !== 'string') throw new TypeError('getToken returned no token');
      this.#fetchedAt = now();
      return token;
    } finally {
      timer.clear();
    }
  }
}
