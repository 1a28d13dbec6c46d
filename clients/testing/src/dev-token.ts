import { createHmac } from 'node:crypto';

/** The published default secret with which `roomcast dev` verifies tokens. */
export const DEV_SECRET = 'roomcast-dev-secret-known-to-everybody-never-deploy-it';

/** A user's token, like those of `roomcast token`. `moreClaims` adds or replaces claims. */
export function devToken(user: string, seconds = 3600, moreClaims: Record<string, unknown> = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: user, iat: now, exp: now + seconds, ...moreClaims };
  const unsigned = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${unsigned}.${createHmac('sha256', DEV_SECRET).update(unsigned).digest('base64url')}`;
}
