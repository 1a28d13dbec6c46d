/** The claims of a token, read without verification. A claim is `undefined` if it is missing or cannot be read. */
export interface TokenClaims {
  readonly user: string | undefined;
  /** The expiry, in milliseconds since the Unix epoch. */
  readonly expiresAt: number | undefined;
  /** The time of issue, in milliseconds since the Unix epoch. */
  readonly issuedAt: number | undefined;
}

/** Reads the claims of a JWT. */
export function readClaims(token: string, userClaim: string): TokenClaims {
  const claims = decode(token.split('.')[1] ?? '');
  const user = claims[userClaim];
  const milliseconds = (value: unknown) => (typeof value === 'number' ? value * 1000 : undefined);
  return {
    user: typeof user === 'string' ? user : undefined,
    expiresAt: milliseconds(claims['exp']),
    issuedAt: milliseconds(claims['iat']),
  };
}

/** The user of a token, read without verification; `undefined` if the token cannot be read. */
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
