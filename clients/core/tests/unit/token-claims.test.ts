import { expect, test } from 'vitest';

import { readClaims, userOf } from '../../src/token-claims.js';
import { jwt } from './jwt.js';

test('claims are read from any text that looks like a token', () => {
  const token = jwt({ sub: 'Zoë?>', uid: 'z', exp: 2, iat: 1 });
  expect(readClaims(token, 'sub')).toEqual({ user: 'Zoë?>', expiresAt: 2_000, issuedAt: 1_000 });
  expect(readClaims(token, 'uid').user).toBe('z');
  expect([userOf(token), userOf(token, 'uid')]).toEqual(['Zoë?>', 'z']);
  const unreadable = ['', 'opaque', 'a.b.c', jwt([]), `x.${btoa('null')}.x`, jwt({ sub: 7, exp: 'soon' })];
  for (const text of unreadable) {
    expect(readClaims(text, 'sub')).toEqual({ user: undefined, expiresAt: undefined, issuedAt: undefined });
  }
});
