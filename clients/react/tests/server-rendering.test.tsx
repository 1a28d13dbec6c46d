// @vitest-environment node

import { renderToString } from 'react-dom/server';
import { createRoomcast } from '@roomcast/core';
import { devToken } from '@roomcast/testing';
import { afterEach, expect, test, vi } from 'vitest';

import { FIRST, Page } from './page.js';

const errors = vi.spyOn(console, 'error');

afterEach(() => expect(errors).not.toHaveBeenCalled());

test('a server renders a page that is not connected, and has no socket', () => {
  expect(typeof window).toBe('undefined');
  const seen = { clients: [], sockets: [], updates: [] };
  const getToken = vi.fn(() => devToken('alice'));
  expect(renderToString(<Page url="http://127.0.0.1:9" token={devToken('alice')} seen={seen} />)).toBe(FIRST);
  expect(renderToString(<Page getToken={getToken} seen={seen} />)).toBe(FIRST);
  expect(seen.sockets).toEqual([false, false]);
  expect(seen.clients).toEqual([false, false]);
  expect(getToken).not.toHaveBeenCalled();
});

test('a server shows nothing of a connection that it was given', () => {
  const seen = { clients: [], sockets: [], updates: [] };
  const client = createRoomcast({ url: 'http://127.0.0.1:9', token: devToken('alice') });
  client.join('page');
  expect(renderToString(<Page client={client} seen={seen} />)).toBe(FIRST);
  expect(seen.sockets).toEqual([false]);
  expect(client.state.status).toBe('idle');
});
