/** What is read of a token, without verification. All of it may be missing: a token need not be readable. */
export interface Claims {
  readonly user: string | undefined;
  /** When it expires, in milliseconds since the Unix epoch. */
  readonly expiresAt: number | undefined;
  /** When it was made, likewise. */
  readonly issuedAt: number | undefined;
}

/** A token that lasts longer is renewed so long before its end, at the latest. */
const MARGIN_MS = 60_000;
/** After what part of its life a token is renewed, at the latest. */
const LATEST = 0.8;
/** A token that lasts no longer than twice the margin is renewed after this part of its life. */
const EARLIEST = 0.5;
/** What is assumed of a token that an edge took, but whose life can't be told. */
const UNKNOWN_LIFE_MS = 60_000;
/** However short a token lives, so long is waited. */
const LEAST_MS = 500;

/** Reads a JWT. */
export function readClaims(token: string, userClaim: string): Claims {
  const claims = decode(token.split('.')[1] ?? '');
  const user = claims[userClaim];
  const ms = (value: unknown) => (typeof value === 'number' ? value * 1000 : undefined);
  return {
    user: typeof user === 'string' ? user : undefined,
    expiresAt: ms(claims['exp']),
    issuedAt: ms(claims['iat']),
  };
}

/** Who a token says that this is, read without verification; `undefined` where it can't be read. */
export function userOf(token: string, userClaim = 'sub'): string | undefined {
  return readClaims(token, userClaim).user;
}

function decode(part: string): Record<string, unknown> {
  try {
    const bytes = atob(part.replaceAll('-', '+').replaceAll('_', '/'));
    const text = new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
    const claims: unknown = JSON.parse(text);
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/**
 * In how many milliseconds a token that an edge took is to be replaced: after 80 % of the life that it has left, or
 * 60 s before its end, whichever is earlier (but not before half of it), and up to a tenth sooner, so that pages which
 * were opened together do not come together.
 *
 * The page's clock may be wrong: what was made in the future lives for as long as it says, and so does what the edge took
 * though it seems to have expired.
 */
export function renewalDelay({ expiresAt, issuedAt }: Claims, now: number): number {
  let left = expiresAt === undefined ? UNKNOWN_LIFE_MS : expiresAt - Math.max(now, issuedAt ?? now);
  if (left <= 0)
    left = expiresAt !== undefined && issuedAt !== undefined ? expiresAt - issuedAt : UNKNOWN_LIFE_MS;
  const delay = Math.min(left * LATEST, Math.max(left - MARGIN_MS, left * EARLIEST));
  return Math.max(LEAST_MS, delay * (1 - Math.random() / 10));
}
