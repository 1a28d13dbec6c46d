import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Listeners } from '../../src/listeners.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a listener that is added twice is called twice, and each removal removes one addition', () => {
  const listeners = new Listeners<[string]>();
  const listener = vi.fn();
  const remove = listeners.add(listener);
  listeners.add(listener);
  listeners.notify('a');
  remove();
  remove();
  listeners.notify('b');
  listeners.delete(listener);
  listeners.delete(listener);
  listeners.notify('c');
  expect(listener.mock.calls).toEqual([['a'], ['a'], ['b']]);
});

test('an addition or removal during a notification does not affect that notification', () => {
  const listeners = new Listeners();
  const late = vi.fn();
  const remove = listeners.add(() => {
    remove();
    listeners.add(late);
  });
  const other = vi.fn();
  listeners.add(other);
  listeners.notify();
  expect([other.mock.calls.length, late.mock.calls.length]).toEqual([1, 0]);
});

test('an error in a listener is uncaught, and the other listeners are called', () => {
  const listeners = new Listeners();
  const other = vi.fn();
  listeners.add(() => {
    throw new Error('error of the page');
  });
  listeners.add(other);
  listeners.notify();
  expect(other).toHaveBeenCalledOnce();
  expect(() => vi.runAllTimers()).toThrow('error of the page');
});
