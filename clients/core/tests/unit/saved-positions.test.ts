import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { PositionStorage } from '../../src/index.js';
import { Positions } from '../../src/saved-positions.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function storage() {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: vi.fn((key: string) => kept.get(key) ?? null),
    setItem: vi.fn((key: string, value: string) => void kept.set(key, value)),
    removeItem: vi.fn((key: string) => void kept.delete(key)),
  };
}

test('positions are written once a turn, the last one of each', () => {
  const it = storage();
  const positions = new Positions(it);
  const [one, two] = [positions.claim('u', 's1'), positions.claim('u', 's2')];
  one?.write('a');
  one?.write('b');
  two?.write('c');
  expect(it.setItem).not.toHaveBeenCalled();
  vi.advanceTimersByTime(0);
  expect(it.setItem.mock.calls).toEqual([
    ['roomcast:u:s1', 'b'],
    ['roomcast:u:s2', 'c'],
  ]);
  one?.write('d');
  positions.flush();
  expect(it.kept.get('roomcast:u:s1')).toBe('d');
  expect(vi.getTimerCount()).toBe(0);
});

test('what is removed is not written any more', () => {
  const it = storage();
  const slot = new Positions(it).claim('u', 's');
  slot?.write('a');
  slot?.remove();
  vi.runAllTimers();
  expect(it.kept.size).toBe(0);
});

test('two at a time have a place each, and who comes after one has left has its place', () => {
  const it = storage();
  const [one, two] = [new Positions(it).claim('u', 's'), new Positions(it).claim('u', 's')];
  one?.write('a');
  two?.write('b');
  one?.release();
  expect(new Positions(it).claim('u', 's')?.read()).toBe('a');
  two?.release();
  expect(it.kept.get('roomcast:u:s#2')).toBe('b');
});

test('without a user, or a storage, nothing is kept', () => {
  const it = storage();
  expect(new Positions(it).claim(undefined, 's')).toBeUndefined();
  expect(new Positions(null).claim('u', 's')).toBeUndefined();
  expect(new Positions().claim('u', 's')).toBeUndefined();
});

test('the page keeps them in its sessionStorage, where it may', () => {
  const it = storage();
  vi.stubGlobal('sessionStorage', it);
  new Positions().claim('u', 's')?.write('a');
  vi.runAllTimers();
  expect(it.kept.size).toBe(1);
  vi.unstubAllGlobals();
  Object.defineProperty(globalThis, 'sessionStorage', {
    configurable: true,
    get: () => {
      throw new DOMException('denied', 'SecurityError');
    },
  });
  expect(new Positions().claim('u', 's')).toBeUndefined();
  Reflect.deleteProperty(globalThis, 'sessionStorage');
});

test('a storage that throws keeps nothing and hurts nobody', () => {
  const broken = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
  const it: PositionStorage = { getItem: broken, setItem: broken, removeItem: broken };
  const slot = new Positions(it).claim('u', 's');
  expect(slot?.read()).toBeUndefined();
  slot?.write('a');
  vi.runAllTimers();
  slot?.remove();
  slot?.release();
});
