import { afterEach, expect, test, vi } from 'vitest';

import { Backoff } from '../../src/backoff.js';

afterEach(() => void vi.restoreAllMocks());

test('each delay is about twice as long as the previous one, up to 30 s', () => {
  const random = vi.spyOn(Math, 'random');
  for (const [attempt, longest] of [
    [0, 1_000],
    [1, 2_000],
    [4, 16_000],
    [5, 30_000],
    [5_000, 30_000],
  ] as const) {
    random.mockReturnValue(0);
    expect(delayAt(attempt)).toBe(longest);
    random.mockReturnValue(0.999_999);
    expect(delayAt(attempt)).toBeCloseTo(longest / 2, -1);
  }
});

test('a reset starts with the shortest delay again', () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  const backoff = new Backoff();
  expect([backoff.attempts, backoff.next(), backoff.next(), backoff.attempts]).toEqual([0, 1_000, 2_000, 2]);
  backoff.reset();
  expect([backoff.attempts, backoff.next()]).toEqual([0, 1_000]);
});

function delayAt(attempt: number): number {
  const backoff = new Backoff();
  for (let n = 0; n < attempt; n++) backoff.next();
  return backoff.next();
}
