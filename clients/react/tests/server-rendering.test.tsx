// @vitest-environment node

import { renderToString } from 'react-dom/server';
import { createRoomcast } from '@roomcast/core';
import { devToken } from '@roomcast/testing';
import { afterEach, expect, test, vi } from 'vitest';

import { FIRST_RENDER, Page } from './page.js';

const errors = vi.spyOn(console, 'error');

afterEach(() => expect(errors).not.toHaveBeenCalled());

test('a server renders a page without a connection and without a socket', () => {
  expect(typeof window).toBe('undefined');
  const observed = { clients: [], sockets: [], updates: [] };
  const getToken = vi.fn(() => devToken('alice'));
  expect(
    renderToString(<Page url="http://127.0.0.1:9" token={devToken('alice')} observed={observed} />),
  ).toBe(FIRST_RENDER);
  expect(renderToString(<Page getToken={getToken} observed={observed} />)).toBe(FIRST_RENDER);
  expect(observed.sockets).toEqual([false, false]);
  expect(observed.clients).toEqual([false, false]);
  expect(getToken).not.toHaveBeenCalled();
});

test('a server ignores the state of the page’s own client', () => {
  const observed = { clients: [], sockets: [], updates: [] };
  const client = createRoomcast({ url: 'http://127.0.0.1:9', token: devToken('alice') });
  client.join('page');
  expect(renderToString(<Page client={client} observed={observed} />)).toBe(FIRST_RENDER);
  expect(observed.sockets).toEqual([false]);
  expect(client.getSnapshot().status).toBe('idle');
});
