import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { TokenSource } from '../../src/token-source.js';
import { jwt } from './jwt.js';

const NOW = 1_800_000_000_000;

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

test('concurrent fetches share one call of getToken', async () => {
  const getToken = vi.fn(() => Promise.resolve(jwt({ sub: 'a' })));
  const tokens = new TokenSource(undefined, getToken, 'sub');
  const [one, two] = await Promise.all([tokens.fetch(), tokens.fetch()]);
  expect([one === two, getToken.mock.calls.length]).toEqual([true, 1]);
  await tokens.fetch();
  expect(getToken).toHaveBeenCalledTimes(2);
});

test('a fetch fails if getToken throws, returns no token or takes too long', async () => {
  const fail = () => {
    throw new Error('failed');
  };
  await expect(new TokenSource(undefined, fail, 'sub').fetch()).rejects.toThrow('failed');
  // A page in plain JavaScript can return nothing.
  const none = (() => undefined) as unknown as () => string;
  await expect(new TokenSource(undefined, none, 'sub').fetch()).rejects.toThrow('no token');
  const never = () => new Promise<string>(() => undefined);
  const pending = expect(new TokenSource(undefined, never, 'sub').fetch()).rejects.toThrow('timed out');
  await vi.advanceTimersByTimeAsync(30_000);
  await pending;
  expect(vi.getTimerCount()).toBe(0);
});

test('a token is usable until it expires or an edge reports that it expired, and shortly after its fetch', async () => {
  const tokens = new TokenSource(jwt({ exp: NOW / 1000 + 10 }), () => jwt({ exp: NOW / 1000 - 10 }), 'sub');
  const isUsableAt = (time: number) => {
    vi.setSystemTime(time);
    return tokens.isUsable();
  };
  expect([isUsableAt(NOW), isUsableAt(NOW + 10_000)]).toEqual([true, false]);
  vi.setSystemTime(NOW);
  tokens.set(await tokens.fetch());
  expect([isUsableAt(NOW), isUsableAt(NOW + 10_000)]).toEqual([true, false]);
  tokens.markExpired();
  expect(isUsableAt(NOW)).toBe(false);
});

test('a token without an expiry is usable until an edge names one', () => {
  const tokens = new TokenSource('opaque', () => '', 'sub');
  vi.setSystemTime(NOW + 1e9);
  expect(tokens.isUsable()).toBe(true);
  tokens.confirm(NOW + 5);
  expect(tokens.isUsable()).toBe(false);
  tokens.confirm(NaN);
  expect(tokens.claims?.expiresAt).toBe(NOW + 5);
});
