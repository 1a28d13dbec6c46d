import type { TokenClaims } from './token-claims.js';

/** A token is renewed at least this long before it expires, unless its lifetime is shorter than twice this margin. */
const MARGIN_MS = 60_000;
/** A token is renewed at the latest after this fraction of its remaining lifetime. */
const LATEST_FRACTION = 0.8;
/** A token is renewed at the earliest after this fraction of its remaining lifetime. */
const EARLIEST_FRACTION = 0.5;
/** The assumed lifetime of a token that an edge accepted but whose expiry is unknown. */
const UNKNOWN_LIFETIME_MS = 60_000;
/** The shortest delay, also for a token with a shorter lifetime. */
const SHORTEST_DELAY_MS = 500;

/**
 * The delay in milliseconds after which a token that an edge accepted must be renewed: after 80 % of its remaining
 * lifetime or 60 s before it expires, whichever is earlier, but not before half of its remaining lifetime. The delay is
 * shortened by up to 10 % at random, so that pages that were opened together do not renew together.
 *
 * The page's clock may be wrong. If the token was issued in the future, or if it seems to have expired although the edge
 * accepted it, the delay is based on the lifetime in its claims.
 */
export function renewalDelay({ expiresAt, issuedAt }: TokenClaims, now: number): number {
  let remaining = expiresAt === undefined ? UNKNOWN_LIFETIME_MS : expiresAt - Math.max(now, issuedAt ?? now);
  if (remaining <= 0) {
    const isLifetimeKnown = expiresAt !== undefined && issuedAt !== undefined;
    remaining = isLifetimeKnown ? expiresAt - issuedAt : UNKNOWN_LIFETIME_MS;
  }
  const delay = Math.min(
    remaining * LATEST_FRACTION,
    Math.max(remaining - MARGIN_MS, remaining * EARLIEST_FRACTION),
  );
  return Math.max(SHORTEST_DELAY_MS, delay * (1 - Math.random() / 10));
}
