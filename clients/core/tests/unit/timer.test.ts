import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { backoff, Timer } from '../../src/timer.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a timer waits longer than setTimeout can', () => {
  const month = 30 * 24 * 3_600_000;
  const then = vi.fn();
  new Timer().set(month, then);
  vi.advanceTimersByTime(month - 1);
  expect(then).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(then).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
});

test('a timer that is set again forgets what it was set to', () => {
  const [first, second] = [vi.fn(), vi.fn()];
  const timer = new Timer();
  timer.set(10, first);
  timer.set(20, second);
  expect(timer.isSet).toBe(true);
  vi.advanceTimersByTime(100);
  expect([first.mock.calls.length, second.mock.calls.length, timer.isSet]).toEqual([0, 1, false]);
  timer.set(10, first);
  timer.clear();
  expect(vi.getTimerCount()).toBe(0);
});

test('each try waits about twice as long as the one before, up to half a minute', () => {
  for (const [attempt, most] of [
    [0, 1_000],
    [1, 2_000],
    [4, 16_000],
    [5, 30_000],
    [5_000, 30_000],
  ] as const) {
    vi.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(0.999_999);
    expect(backoff(attempt)).toBe(most);
    expect(backoff(attempt)).toBeCloseTo(most / 2, -1);
  }
});
