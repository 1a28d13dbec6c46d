import { version } from 'react';
import { version as domVersion } from 'react-dom';
import { createRoomcast } from '@roomcast/core';
import { useSession, useSocket } from '@roomcast/react';
import { devToken, RoomcastProcess } from '@roomcast/testing';
import { expect, inject, test, vi } from 'vitest';

import { dev } from './dev.js';
import { provided } from './render-in-provider.js';

const alice = devToken('alice');

const until = (check: () => void) => vi.waitFor(check, 10_000);

test('these tests run with the React that their project is named after', () => {
  expect(version).toMatch(new RegExp(`^${inject('react')}\\.`));
  expect(domVersion).toBe(version);
});

test('it connects while it is mounted, and says so', async () => {
  const page = provided(useSocket, { url: dev.url, token: alice });
  expect(page.current).toMatchObject({ connected: false, state: { status: 'idle' } });
  expect(page.current.socket).toBe(page.current.client?.socket);
  await until(() => expect(page.current).toMatchObject({ connected: true, state: { status: 'connected' } }));
  await dev.holds(1);
  page.unmount();
  await dev.holds(0);
});

test('a page that goes at once never connects', async () => {
  const page = provided(useSocket, { url: dev.url, token: alice });
  const { client } = page.current;
  page.unmount();
  await Promise.resolve();
  expect(client?.state.status).toBe('idle');
});

test('a new token of the same user goes to the live connection', async () => {
  const short = devToken('alice', 4);
  const witness = provided(useSocket, { url: dev.url, token: short });
  const page = provided(useSocket, { url: dev.url, token: short });
  await until(() => expect(page.current.connected && witness.current.connected).toBe(true));
  const { client, socket } = page.current;
  const id = socket?.id;

  page.change({ url: dev.url, token: alice });
  // Who stays with the short token is put out when it expires.
  await until(() => expect(witness.current.connected).toBe(false));
  expect(page.current.connected).toBe(true);
  expect(page.current.client).toBe(client);
  expect(page.current.socket?.id).toBe(id);
});

test('an expired token is refused, and the next one of the user is taken', async () => {
  const page = provided(useSocket, { url: dev.url, token: devToken('alice', -60) });
  await until(() => expect(page.current.state).toMatchObject({ status: 'refused', code: 'token_expired' }));
  const { client } = page.current;
  page.change({ url: dev.url, token: alice });
  await until(() => expect(page.current.connected).toBe(true));
  expect(page.current.client).toBe(client);
});

test('a token of another user makes a new connection', async () => {
  await dev.backend.publish('turns', 'running', { alice: 'interviewer', bob: 'interviewee' });
  const page = provided(() => ({ ...useSocket(), ...useSession('turns') }), { url: dev.url, token: alice });
  await until(() => expect(page.current).toMatchObject({ connected: true, role: 'interviewer' }));
  const before = page.current;

  page.change({ url: dev.url, token: devToken('bob') });
  expect(page.current).toMatchObject({ connected: false, session: undefined, role: undefined });
  await until(() => expect(page.current).toMatchObject({ connected: true, role: 'interviewee' }));
  expect(page.current.client).not.toBe(before.client);
  expect(page.current.client?.user).toBe('bob');
  expect(before.socket?.connected).toBe(false);
  await dev.holds(1);
});

test('a token that names no user counts as another user', async () => {
  const page = provided(useSocket, { url: dev.url, token: 'unreadable' });
  await until(() => expect(page.current.state).toMatchObject({ status: 'refused', code: 'token_invalid' }));
  const { client } = page.current;
  page.change({ url: dev.url, token: 'unreadable, too' });
  expect(page.current.client).not.toBe(client);
});

test('another address makes a new connection there', async () => {
  const edge = await RoomcastProcess.edge(dev.process);
  try {
    const page = provided(useSocket, { url: dev.url, token: alice });
    await until(() => expect(page.current.connected).toBe(true));
    page.change({ url: edge.url, token: alice });
    await until(() => expect(page.current.connected).toBe(true));
    await dev.holds(0);
    page.unmount();
  } finally {
    await edge.stop();
  }
});

test('without a token nothing connects, and without it any more it disconnects', async () => {
  const page = provided(useSocket, { url: dev.url, token: null });
  expect(page.current).toMatchObject({
    client: null,
    socket: null,
    connected: false,
    state: { status: 'idle' },
  });
  page.change({ url: dev.url, token: alice });
  await until(() => expect(page.current.connected).toBe(true));
  page.change({ url: dev.url, token: undefined });
  expect(page.current).toMatchObject({
    client: null,
    socket: null,
    connected: false,
    state: { status: 'idle' },
  });
  await dev.holds(0);
});

test('getToken may be another function in each render', async () => {
  const first = vi.fn(() => devToken('alice', 4));
  const second = vi.fn(async () => devToken('alice'));
  const page = provided(useSocket, { url: dev.url, getToken: first });
  await until(() => expect(page.current.connected).toBe(true));
  const { client } = page.current;
  page.change({ url: dev.url, getToken: second });
  await until(() => expect(second).toHaveBeenCalled());
  expect(first).toHaveBeenCalledTimes(1);
  expect(page.current.client).toBe(client);
});

test('a connection of the page’s own is neither connected nor closed', async () => {
  const own = createRoomcast({ url: dev.url, token: alice });
  const page = provided(useSocket, { client: own, token: devToken('bob') });
  expect(own.user).toBe('alice');
  expect(page.current).toMatchObject({ client: own, socket: own.socket, state: { status: 'idle' } });
  own.connect();
  await until(() => expect(page.current.connected).toBe(true));
  page.unmount();
  expect(own.state.status).toBe('connected');
  own.close();
  await dev.holds(0);
});

test('a user who was disconnected by the server is told, and may connect again', async () => {
  const page = provided(useSocket, { url: dev.url, token: alice });
  await until(() => expect(page.current.connected).toBe(true));
  await dev.backend.disconnect('alice', 'test');
  await until(() => expect(page.current.state.status).toBe('ended'));
  page.current.client?.connect();
  await until(() => expect(page.current.connected).toBe(true));
});
