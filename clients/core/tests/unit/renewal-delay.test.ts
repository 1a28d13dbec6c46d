import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { renewalDelay } from '../../src/renewal-delay.js';

const NOW = 1_800_000_000_000;

beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0));
afterEach(() => void vi.restoreAllMocks());

/** The delay for a token, with all times in seconds. */
function delay(lifetime: number, age = 0): number {
  const issuedAt = NOW - age * 1000;
  return renewalDelay({ user: 'x', issuedAt, expiresAt: issuedAt + lifetime * 1000 }, NOW) / 1000;
}

test('a token is renewed after 80 % of its remaining lifetime, or one minute before it expires', () => {
  expect(delay(3_600)).toBe(2_880);
  expect(delay(3_600, 1_800)).toBe(1_440);
  expect(delay(300)).toBe(240);
  expect(delay(200)).toBe(140);
  expect(delay(100)).toBe(50);
  expect(delay(10)).toBe(5);
  vi.spyOn(Math, 'random').mockReturnValue(1);
  expect(delay(3_600)).toBe(2_880 * 0.9);
});

test('a wrong clock does not cause constant renewals', () => {
  // The clock is one hour slow: the token was issued in the future.
  expect(delay(600, -3_600)).toBe(480);
  // The clock is one hour fast: the token seems to have expired, but the edge accepted it.
  expect(delay(600, 3_600)).toBe(480);
  expect(renewalDelay({ user: undefined, issuedAt: undefined, expiresAt: undefined }, NOW)).toBe(30_000);
  expect(renewalDelay({ user: undefined, issuedAt: undefined, expiresAt: NOW - 1 }, NOW)).toBe(30_000);
  expect(delay(0)).toBe(0.5);
});
