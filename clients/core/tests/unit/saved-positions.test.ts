import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { PositionStorage } from '../../src/index.js';
import { SavedPositions } from '../../src/saved-positions.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function memoryStorage() {
  const items = new Map<string, string>();
  return {
    items,
    getItem: vi.fn((key: string) => items.get(key) ?? null),
    setItem: vi.fn((key: string, value: string) => void items.set(key, value)),
    removeItem: vi.fn((key: string) => void items.delete(key)),
  };
}

test('the last position of each session is written once per turn of the event loop', () => {
  const storage = memoryStorage();
  const positions = new SavedPositions(storage);
  const [one, two] = [positions.claim('u', 's1'), positions.claim('u', 's2')];
  one?.write('a');
  one?.write('b');
  two?.write('c');
  expect(storage.setItem).not.toHaveBeenCalled();
  vi.advanceTimersByTime(0);
  expect(storage.setItem.mock.calls).toEqual([
    ['roomcast:u:s1', 'b'],
    ['roomcast:u:s2', 'c'],
  ]);
  one?.write('d');
  positions.flush();
  expect(storage.items.get('roomcast:u:s1')).toBe('d');
  expect(vi.getTimerCount()).toBe(0);
});

test('a removed position is not written later', () => {
  const storage = memoryStorage();
  const saved = new SavedPositions(storage).claim('u', 's');
  saved?.write('a');
  saved?.remove();
  vi.runAllTimers();
  expect(storage.items.size).toBe(0);
});

test('concurrent claims have different keys, and a later claim gets a released key', () => {
  const storage = memoryStorage();
  const [one, two] = [
    new SavedPositions(storage).claim('u', 's'),
    new SavedPositions(storage).claim('u', 's'),
  ];
  one?.write('a');
  two?.write('b');
  one?.release();
  expect(new SavedPositions(storage).claim('u', 's')?.read()).toBe('a');
  two?.release();
  expect(storage.items.get('roomcast:u:s#2')).toBe('b');
});

test('without a user or a storage nothing is saved', () => {
  const storage = memoryStorage();
  expect(new SavedPositions(storage).claim(undefined, 's')).toBeUndefined();
  expect(new SavedPositions(null).claim('u', 's')).toBeUndefined();
  expect(new SavedPositions().claim('u', 's')).toBeUndefined();
});

test('the default storage is sessionStorage if the page may use it', () => {
  const storage = memoryStorage();
  vi.stubGlobal('sessionStorage', storage);
  new SavedPositions().claim('u', 's')?.write('a');
  vi.runAllTimers();
  expect(storage.items.size).toBe(1);
  vi.unstubAllGlobals();
  Object.defineProperty(globalThis, 'sessionStorage', {
    configurable: true,
    get: () => {
      throw new DOMException('denied', 'SecurityError');
    },
  });
  expect(new SavedPositions().claim('u', 's')).toBeUndefined();
  Reflect.deleteProperty(globalThis, 'sessionStorage');
});

test('errors of a storage are ignored', () => {
  const broken = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
  const storage: PositionStorage = { getItem: broken, setItem: broken, removeItem: broken };
  const saved = new SavedPositions(storage).claim('u', 's');
  expect(saved?.read()).toBeUndefined();
  saved?.write('a');
  vi.runAllTimers();
  saved?.remove();
  saved?.release();
});
