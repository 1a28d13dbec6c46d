import { createHmac } from 'node:crypto';

/** What `roomcast dev` verifies tokens with unless it is told otherwise; known to everybody. */
export const DEV_SECRET = 'roomcast-dev-secret-known-to-everybody-never-deploy-it';

/** A user's token, as `roomcast token` mints it. `more` are further claims, or others in place of these. */
export function devToken(user: string, seconds = 3600, more: Record<string, unknown> = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: user, iat: now, exp: now + seconds, ...more };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', DEV_SECRET).update(signed).digest('base64url')}`;
}
