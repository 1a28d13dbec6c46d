import { expect, test } from 'vitest';

import { covers, positionIn } from '../../src/session-cursor.js';

test('a position is taken out of a cursor for one session alone', () => {
  const cursor = '1;s1,0000000000aa,7,ef4860e;s10,0000000000ab,12';
  expect(positionIn(cursor, 's1')).toEqual({
    text: '1;s1,0000000000aa,7,ef4860e',
    place: { epoch: '0000000000aa', offset: 7 },
  });
  expect(positionIn(cursor, 's10')?.place).toEqual({ epoch: '0000000000ab', offset: 12 });
  expect(positionIn(cursor, 's')).toBeUndefined();
  expect(positionIn('1', 's1')).toBeUndefined();
});

test('a cursor of another version is handed back as it is, and says nothing about order', () => {
  const unknown = positionIn('2;whatever', 's1');
  expect(unknown).toEqual({ text: '2;whatever', place: undefined });
  expect(unknown && covers(unknown, unknown)).toBe(false);
});

test('positions are compared within one epoch only', () => {
  const at = (epoch: string, offset: number) => ({ text: '', place: { epoch, offset } });
  expect(covers(at('a', 7), at('a', 7))).toBe(true);
  expect(covers(at('a', 7), at('a', 6))).toBe(true);
  expect(covers(at('a', 7), at('a', 8))).toBe(false);
  expect(covers(at('a', 7), at('b', 1))).toBe(false);
  expect(covers(undefined, at('a', 1))).toBe(false);
});
