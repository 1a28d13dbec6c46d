import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Timer } from '../../src/timer.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a timer supports delays that are too long for setTimeout', () => {
  const month = 30 * 24 * 3_600_000;
  const callback = vi.fn();
  new Timer().set(month, callback);
  vi.advanceTimersByTime(month - 1);
  expect(callback).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(callback).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
});

test('setting a timer again replaces its callback', () => {
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
