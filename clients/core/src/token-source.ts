import { Timer } from './timer.js';
import { readClaims, type Claims } from './token-claims.js';

/** A token that was got so recently is shown also where it seems to have expired: the clock may be wrong. */
const JUST_GOT_MS = 10_000;

/** Who asked for a token waits so long for it. */
const PATIENCE_MS = 30_000;

/** The token at hand, and the way to another one. */
export class Tokens {
  readonly #getToken: (() => string | Promise<string>) | undefined;
  readonly #userClaim: string;
  #token: string | undefined;
  #claims: Claims | undefined;
  #gotAt = -Infinity;
  #isRefused = false;
  #underWay: Promise<string> | undefined;

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

  get claims(): Claims | undefined {
    return this.#claims;
  }

  get user(): string | undefined {
    return this.#claims?.user;
  }

  get canGet(): boolean {
    return this.#getToken !== undefined;
  }

  set(token: string): void {
    this.#token = token;
    this.#claims = readClaims(token, this.#userClaim);
    this.#isRefused = false;
  }

  /** An edge took the token, and says when it expires. */
  confirm(expiresAt: number): void {
    if (this.#claims !== undefined && !Number.isNaN(expiresAt)) this.#claims = { ...this.#claims, expiresAt };
  }

  /** An edge says that the token has expired. */
  refuse(): void {
    this.#isRefused = true;
  }

  /** Whether the token at hand is worth showing, as far as can be known. */
  isGood(now: number): boolean {
    if (this.#token === undefined || this.#isRefused) return false;
    return now < (this.#claims?.expiresAt ?? Infinity) || now - this.#gotAt < JUST_GOT_MS;
  }

  /** Gets another token, and does not keep it. Who asks meanwhile is given the same one. */
  get(): Promise<string> {
    this.#underWay ??= this.#ask().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  async #ask(): Promise<string> {
    const patience = new Timer();
    const tooLong = new Promise<never>((_, reject) => {
      patience.set(PATIENCE_MS, () => reject(new Error('getToken does not answer')));
    });
    try {
      const token: unknown = await Promise.race([this.#getToken?.(), tooLong]);
      if (typeof token !== 'string') throw new TypeError('getToken gave no token');
      this.#gotAt = Date.now();
      return token;
    } finally {
      patience.clear();
    }
  }
}
