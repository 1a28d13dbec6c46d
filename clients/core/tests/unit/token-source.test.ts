import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { readClaims, renewalDelay } from '../../src/token-claims.js';
import { Tokens } from '../../src/token-source.js';

const NOW = 1_800_000_000_000;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function jwt(claims: object): string {
  return `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
}

/** The delay, in seconds, of a token that was made `made` seconds ago and lives for `life`. */
function delay(life: number, made = 0): number {
  const issuedAt = NOW - made * 1000;
  return renewalDelay({ user: 'x', issuedAt, expiresAt: issuedAt + life * 1000 }, NOW) / 1000;
}

test('claims are read of whatever looks like a token', () => {
  const token = jwt({ sub: 'Zoë?>', uid: 'z', exp: 2, iat: 1 });
  expect(readClaims(token, 'sub')).toEqual({ user: 'Zoë?>', expiresAt: 2_000, issuedAt: 1_000 });
  expect(readClaims(token, 'uid').user).toBe('z');
  for (const odd of ['', 'opaque', 'a.b.c', jwt([]), `x.${btoa('null')}.x`, jwt({ sub: 7, exp: 'soon' })]) {
    expect(readClaims(odd, 'sub')).toEqual({ user: undefined, expiresAt: undefined, issuedAt: undefined });
  }
});

test('a token is renewed after 80 % of what is left, or a minute before its end', () => {
  expect(delay(3_600)).toBe(2_880);
  expect(delay(3_600, 1_800)).toBe(1_440);
  expect(delay(300)).toBe(240);
  expect(delay(200)).toBe(140);
  expect(delay(100)).toBe(50);
  expect(delay(10)).toBe(5);
  vi.spyOn(Math, 'random').mockReturnValue(1);
  expect(delay(3_600)).toBe(2_880 * 0.9);
});

test('a clock that is wrong does not make it renew all the time', () => {
  // An hour slow: the token comes from the future.
  expect(delay(600, -3_600)).toBe(480);
  // An hour fast: it expired long ago, and the edge took it.
  expect(delay(600, 3_600)).toBe(480);
  expect(renewalDelay({ user: undefined, issuedAt: undefined, expiresAt: undefined }, NOW)).toBe(30_000);
  expect(renewalDelay({ user: undefined, issuedAt: undefined, expiresAt: NOW - 1 }, NOW)).toBe(30_000);
  expect(delay(0)).toBe(0.5);
});

test('who asks while a token is on its way gets the same one', async () => {
  const getToken = vi.fn(() => Promise.resolve(jwt({ sub: 'a' })));
  const tokens = new Tokens(undefined, getToken, 'sub');
  const [one, two] = await Promise.all([tokens.get(), tokens.get()]);
  expect([one === two, getToken.mock.calls.length]).toEqual([true, 1]);
  await tokens.get();
  expect(getToken).toHaveBeenCalledTimes(2);
});

test('what fails, is no token, or does not come is an error, and leaves nothing behind', async () => {
  const fail = () => {
    throw new Error('at once');
  };
  await expect(new Tokens(undefined, fail, 'sub').get()).rejects.toThrow('at once');
  // As a page without types may do.
  const none = (() => undefined) as unknown as () => string;
  await expect(new Tokens(undefined, none, 'sub').get()).rejects.toThrow('no token');
  const hung = expect(new Tokens(undefined, () => new Promise(() => undefined), 'sub').get()).rejects.toThrow(
    'answer',
  );
  await vi.advanceTimersByTimeAsync(30_000);
  await hung;
  expect(vi.getTimerCount()).toBe(0);
});

test('a token is good until it expires or is refused, and right after it was got', async () => {
  const tokens = new Tokens(jwt({ exp: NOW / 1000 + 10 }), () => jwt({ exp: NOW / 1000 - 10 }), 'sub');
  expect([tokens.isGood(NOW), tokens.isGood(NOW + 10_000)]).toEqual([true, false]);
  tokens.set(await tokens.get());
  expect([tokens.isGood(NOW), tokens.isGood(NOW + 10_000)]).toEqual([true, false]);
  tokens.refuse();
  expect(tokens.isGood(NOW)).toBe(false);
  tokens.set('opaque');
  expect(tokens.isGood(Infinity)).toBe(false);
  expect(tokens.isGood(NOW + 1e9)).toBe(true);
  tokens.confirm(NOW + 5);
  expect(tokens.isGood(NOW + 1e9)).toBe(false);
  tokens.confirm(NaN);
  expect(tokens.claims?.expiresAt).toBe(NOW + 5);
});
