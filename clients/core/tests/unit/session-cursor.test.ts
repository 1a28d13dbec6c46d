import { expect, test } from 'vitest';

import { covers, parseCursor } from '../../src/session-cursor.js';

test('parseCursor returns the position of exactly one session', () => {
  const cursor = '1;s1,0000000000aa,7,ef4860e;s10,0000000000ab,12';
  expect(parseCursor(cursor, 's1')).toEqual({
    text: '1;s1,0000000000aa,7,ef4860e',
    position: { epoch: '0000000000aa', offset: 7 },
  });
  expect(parseCursor(cursor, 's10')?.position).toEqual({ epoch: '0000000000ab', offset: 12 });
  expect(parseCursor(cursor, 's')).toBeUndefined();
  expect(parseCursor('1', 's1')).toBeUndefined();
});

test('a cursor of another version is returned unchanged and has no order', () => {
  const unsupported = parseCursor('2;whatever', 's1');
  expect(unsupported).toEqual({ text: '2;whatever', position: undefined });
  expect(unsupported && covers(unsupported, unsupported)).toBe(false);
});

test('positions are compared only within one epoch', () => {
  const at = (epoch: string, offset: number) => ({ text: '', position: { epoch, offset } });
  expect(covers(at('a', 7), at('a', 7))).toBe(true);
  expect(covers(at('a', 7), at('a', 6))).toBe(true);
  expect(covers(at('a', 7), at('a', 8))).toBe(false);
  expect(covers(at('a', 7), at('b', 1))).toBe(false);
  expect(covers(undefined, at('a', 1))).toBe(false);
});
