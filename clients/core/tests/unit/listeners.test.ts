import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Watchers } from '../../src/listeners.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('one function that is added twice is told twice, and taken away once at a time', () => {
  const watchers = new Watchers<[string]>();
  const told = vi.fn();
  const off = watchers.add(told);
  watchers.add(told);
  watchers.tell('a');
  off();
  off();
  watchers.tell('b');
  watchers.delete(told);
  watchers.delete(told);
  watchers.tell('c');
  expect(told.mock.calls).toEqual([['a'], ['a'], ['b']]);
});

test('who is added or taken away while it is told changes nothing about that', () => {
  const watchers = new Watchers();
  const late = vi.fn();
  const off = watchers.add(() => {
    off();
    watchers.add(late);
  });
  const other = vi.fn();
  watchers.add(other);
  watchers.tell();
  expect([other.mock.calls.length, late.mock.calls.length]).toEqual([1, 0]);
});

test('what one throws is uncaught, and the others are told', () => {
  const watchers = new Watchers();
  const other = vi.fn();
  watchers.add(() => {
    throw new Error('of a page');
  });
  watchers.add(other);
  watchers.tell();
  expect(other).toHaveBeenCalledOnce();
  expect(() => vi.runAllTimers()).toThrow('of a page');
});
