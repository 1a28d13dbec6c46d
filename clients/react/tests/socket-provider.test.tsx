import { version } from 'react';
import { version as domVersion } from 'react-dom';
import { createRoomcast } from '@roomcast/core';
import { useSession, useSocket } from '@roomcast/react';
import { devToken, RoomcastProcess } from '@roomcast/testing';
import { expect, inject, test, vi } from 'vitest';

import { dev } from './dev.js';
import { renderInProvider } from './render-in-provider.js';

const alice = devToken('alice');

const until = (check: () => void) => vi.waitFor(check, 10_000);

test('these tests run with the React version of their project', () => {
  expect(version).toMatch(new RegExp(`^${inject('react')}\\.`));
  expect(domVersion).toBe(version);
});

test('a provider is connected while it is mounted', async () => {
  const page = renderInProvider(useSocket, { url: dev.url, token: alice });
  expect(page.current).toMatchObject({ connected: false, state: { status: 'idle' } });
  expect(page.current.socket).toBe(page.current.client?.socket);
  await until(() => expect(page.current).toMatchObject({ connected: true, state: { status: 'connected' } }));
  await dev.waitForSockets(1);
  page.unmount();
  await dev.waitForSockets(0);
});

test('a provider that is unmounted immediately never connects', async () => {
  const page = renderInProvider(useSocket, { url: dev.url, token: alice });
  const { client } = page.current;
  page.unmount();
  await Promise.resolve();
  expect(client?.getSnapshot().status).toBe('idle');
});

test('a new token of the same user goes to the live connection', async () => {
  const shortToken = devToken('alice', 4);
  const reference = renderInProvider(useSocket, { url: dev.url, token: shortToken });
  const page = renderInProvider(useSocket, { url: dev.url, token: shortToken });
  await until(() => expect(page.current.connected && reference.current.connected).toBe(true));
  const { client, socket } = page.current;
  const id = socket?.id;

  page.rerender({ url: dev.url, token: alice });
  // The page that keeps the short token is disconnected when that token expires.
  await until(() => expect(reference.current.connected).toBe(false));
  expect(page.current.connected).toBe(true);
  expect(page.current.client).toBe(client);
  expect(page.current.socket?.id).toBe(id);
});

test('an expired token is denied, and the next token of the user connects', async () => {
  const page = renderInProvider(useSocket, { url: dev.url, token: devToken('alice', -60) });
  await until(() => expect(page.current.state).toMatchObject({ status: 'denied', code: 'token_expired' }));
  const { client } = page.current;
  page.rerender({ url: dev.url, token: alice });
  await until(() => expect(page.current.connected).toBe(true));
  expect(page.current.client).toBe(client);
});

test('a token of another user starts a new connection', async () => {
  await dev.backend.publish('turns', 'running', { alice: 'interviewer', bob: 'interviewee' });
  const page = renderInProvider(() => ({ ...useSocket(), ...useSession('turns') }), {
    url: dev.url,
    token: alice,
  });
  await until(() => expect(page.current).toMatchObject({ connected: true, role: 'interviewer' }));
  const before = page.current;

  page.rerender({ url: dev.url, token: devToken('bob') });
  expect(page.current).toMatchObject({ connected: false, session: undefined, role: undefined });
  await until(() => expect(page.current).toMatchObject({ connected: true, role: 'interviewee' }));
  expect(page.current.client).not.toBe(before.client);
  expect(page.current.client?.user).toBe('bob');
  expect(before.socket?.connected).toBe(false);
  await dev.waitForSockets(1);
});

test('a token that names no user counts as another user', async () => {
  const page = renderInProvider(useSocket, { url: dev.url, token: 'unreadable' });
  await until(() => expect(page.current.state).toMatchObject({ status: 'denied', code: 'token_invalid' }));
  const { client } = page.current;
  page.rerender({ url: dev.url, token: 'unreadable, too' });
  expect(page.current.client).not.toBe(client);
});

test('another url starts a new connection', async () => {
  const edge = await RoomcastProcess.edge(dev.process);
  try {
    const page = renderInProvider(useSocket, { url: dev.url, token: alice });
    await until(() => expect(page.current.connected).toBe(true));
    page.rerender({ url: edge.url, token: alice });
    await until(() => expect(page.current.connected).toBe(true));
    await dev.waitForSockets(0);
    page.unmount();
  } finally {
    await edge.stop();
  }
});

test('without a token the provider does not connect, and disconnects if the token is removed', async () => {
  const page = renderInProvider(useSocket, { url: dev.url, token: null });
  expect(page.current).toMatchObject({
    client: null,
    socket: null,
    connected: false,
    state: { status: 'idle' },
  });
  page.rerender({ url: dev.url, token: alice });
  await until(() => expect(page.current.connected).toBe(true));
  page.rerender({ url: dev.url, token: undefined });
  expect(page.current).toMatchObject({
    client: null,
    socket: null,
    connected: false,
    state: { status: 'idle' },
  });
  await dev.waitForSockets(0);
});

test('getToken may be a different function in each render', async () => {
  const first = vi.fn(() => devToken('alice', 4));
  const second = vi.fn(async () => devToken('alice'));
  const page = renderInProvider(useSocket, { url: dev.url, getToken: first });
  await until(() => expect(page.current.connected).toBe(true));
  const { client } = page.current;
  page.rerender({ url: dev.url, getToken: second });
  await until(() => expect(second).toHaveBeenCalled());
  expect(first).toHaveBeenCalledTimes(1);
  expect(page.current.client).toBe(client);
});

test('the page’s own client is neither connected nor closed', async () => {
  const ownClient = createRoomcast({ url: dev.url, token: alice });
  const page = renderInProvider(useSocket, { client: ownClient, token: devToken('bob') });
  expect(ownClient.user).toBe('alice');
  expect(page.current).toMatchObject({
    client: ownClient,
    socket: ownClient.socket,
    state: { status: 'idle' },
  });
  ownClient.connect();
  await until(() => expect(page.current.connected).toBe(true));
  page.unmount();
  expect(ownClient.getSnapshot().status).toBe('connected');
  ownClient.close();
  await dev.waitForSockets(0);
});

test('a user whom the server disconnected may connect again', async () => {
  const page = renderInProvider(useSocket, { url: dev.url, token: alice });
  await until(() => expect(page.current.connected).toBe(true));
  await dev.backend.disconnect('alice', 'test');
  await until(() => expect(page.current.state.status).toBe('ended'));
  page.current.client?.connect();
  await until(() => expect(page.current.connected).toBe(true));
});
