import { Backend, devToken, RoomcastProcess } from '@roomcast/testing';
import { backend, dev } from '@roomcast/testing/dev';
import { expect, test } from 'vitest';

import { createRoomcast, type ConnectionState } from '../../src/index.js';
import { stopAfterTest, Page, TabStorage } from './page.js';

/** Records every state from this call on. */
function states(page: Page): ConnectionState[] {
  const all: ConnectionState[] = [];
  page.roomcast.subscribe(() => all.push(page.roomcast.getSnapshot()));
  return all;
}

test('a connection reports each of its states', async () => {
  const page = new Page(dev, 'alice');
  const all = states(page);
  expect(page.roomcast.getSnapshot()).toEqual({ status: 'idle' });
  expect(page.roomcast.user).toBe('alice');
  page.roomcast.connect();
  page.roomcast.connect();
  await page.connected();
  await page.breakConnection();
  await page.connected();
  page.roomcast.close();
  page.roomcast.close();
  expect(all).toEqual([
    { status: 'connecting' },
    { status: 'connected', recovered: false },
    { status: 'reconnecting', reason: 'forced close' },
    { status: 'connected', recovered: true },
    { status: 'idle' },
  ]);
});

test('connect, close and connect in one task result in one connection', async () => {
  const page = new Page(dev, 'strict');
  await backend.publish('strict', 'one', { strict: 'observer' });
  let connections = 0;
  page.roomcast.socket.on('connect', () => connections++);
  page.roomcast.connect();
  const leave = page.roomcast.join('strict');
  leave();
  page.roomcast.close();
  page.roomcast.connect();
  page.roomcast.join('strict');
  await page.until(() => page.session('strict').status === 'joined');
  expect(connections).toBe(1);
  expect(page.names()).toEqual(['session-joined']);
});

test('a page that is closed while it waits for a token stays closed', async () => {
  let resolveToken: (token: string) => void = () => undefined;
  const token = new Promise<string>((resolve) => (resolveToken = resolve));
  const page = new Page(dev, 'alice', { getToken: () => token });
  page.roomcast.connect();
  expect(page.roomcast.getSnapshot()).toEqual({ status: 'connecting' });
  page.roomcast.close();
  resolveToken(devToken('alice'));
  // Another page connects completely in the meantime.
  await Page.open(dev, 'bob');
  expect(page.roomcast.getSnapshot()).toEqual({ status: 'idle' });
  expect(page.roomcast.socket.active).toBe(false);
});

test('a held session is joined again after close and connect, and no event is missed', async () => {
  await backend.publish('pause', 'one', { alice: 'observer' });
  const page = await Page.open(dev, 'alice');
  await page.join('pause');
  page.roomcast.close();
  await backend.publish('pause', 'two');
  await backend.publish('pause', 'three');
  page.roomcast.connect();
  await page.until(() => page.statuses.length === 2);
  expect(page.statuses).toEqual(['two', 'three']);
  expect(page.session('pause').session?.status).toBe('three');
});

test('an invalid token is denied, and another token connects', async () => {
  for (const [token, code] of [
    ['', 'token_missing'],
    ['x.y.z', 'token_invalid'],
    [devToken('alice', -60), 'token_expired'],
  ] as const) {
    const page = new Page(dev, 'alice', { token });
    page.roomcast.connect();
    await page.until(() => page.roomcast.getSnapshot().status === 'denied');
    expect(page.roomcast.getSnapshot()).toMatchObject({ code });
    page.roomcast.setToken(devToken('alice'));
    await page.connected();
  }
});

test('getToken is called if there is no token', async () => {
  let calls = 0;
  const getToken = () => {
    calls++;
    return devToken('alice');
  };
  const page = await Page.open(dev, 'alice', { getToken });
  expect(calls).toBe(1);
  expect(page.roomcast.user).toBe('alice');
  await page.breakConnection();
  await page.connected();
  expect(calls).toBe(1);
});

test('getToken is called again after a failure', async () => {
  const results = [() => Promise.reject(new Error('no network')), () => Promise.resolve(devToken('alice'))];
  const page = new Page(dev, 'alice', { getToken: () => (results.shift() ?? (() => Promise.resolve('')))() });
  const all = states(page);
  page.roomcast.connect();
  await page.connected();
  expect(all).toEqual([
    { status: 'connecting' },
    { status: 'reconnecting', reason: 'no token' },
    { status: 'connected', recovered: false },
  ]);
});

test('a token is renewed on the live connection before it expires', async () => {
  await backend.publish('renewed', 'n0', { alice: 'observer' });
  let calls = 0;
  const page = await Page.open(dev, 'alice', {
    getToken: () => {
      calls++;
      return Promise.resolve(devToken('alice', 4));
    },
  });
  await page.join('renewed');
  const all = states(page);
  const id = page.roomcast.socket.id;
  await page.until(() => calls >= 4);
  expect(all).toEqual([]);
  expect(page.roomcast.socket.id).toBe(id);
});

test('an expired token is replaced, and no event is missed', async () => {
  await backend.publish('expired', 'n0', { alice: 'observer' });
  let calls = 0;
  const page = await Page.open(dev, 'alice', {
    token: devToken('alice', 2),
    // The renewal hangs, so that the token expires on the live connection.
    getToken: () => {
      calls++;
      return calls === 1 ? new Promise<string>(() => undefined) : devToken('alice');
    },
  });
  await page.join('expired');
  const all = states(page);
  await page.until(() => all.some(({ status }) => status === 'reconnecting') && !page.roomcast.socket.active);
  await backend.publish('expired', 'n1');
  expect(calls).toBe(1);
  page.roomcast.setToken(devToken('alice'));
  await page.until(() => page.statuses.includes('n1'));
  expect(page.roomcast.getSnapshot()).toEqual({ status: 'connected', recovered: true });
});

test('token_expired at connect leads to another token, also with a wrong clock', async () => {
  const tokens = [devToken('alice', -60, { iat: 0 }), devToken('alice')];
  const now = Date.now;
  Date.now = () => now() - 3_600_000;
  try {
    const page = new Page(dev, 'alice', { getToken: () => tokens.shift() ?? '' });
    const all = states(page);
    page.roomcast.connect();
    const connected = new Promise((resolve) => page.roomcast.socket.on('connect', () => resolve(undefined)));
    await connected;
    expect(all).toEqual([
      { status: 'connecting' },
      { status: 'reconnecting', reason: 'token_expired' },
      { status: 'connected', recovered: false },
    ]);
  } finally {
    Date.now = now;
  }
});

test('a token is replaced without an interruption', async () => {
  const page = await Page.open(dev, 'alice', { token: devToken('alice', 2) });
  const all = states(page);
  const end = Date.now() + 3_000;
  page.roomcast.setToken(devToken('alice'));
  await page.until(() => Date.now() > end);
  expect(all).toEqual([]);
});

test('a token of another user starts a new connection without data of the first user', async () => {
  const tab = new TabStorage();
  await backend.publish('switch', 'n0', { alice: 'interviewer', bob: 'observer' });
  const page = await Page.open(dev, 'alice', { storage: tab });
  await page.join('switch');
  await backend.publish('switch', 'n1');
  await page.until(() => page.statuses.length === 1);
  page.roomcast.setToken(devToken('bob'));
  expect(page.session('switch')).toMatchObject({ status: 'joining', session: undefined, role: undefined });
  await page.until(() => page.session('switch').status === 'joined');
  expect(page.roomcast.user).toBe('bob');
  expect(page.roomcast.getSnapshot()).toEqual({ status: 'connected', recovered: false });
  expect(page.session('switch')).toMatchObject({ role: 'observer', resets: 0 });
  expect(page.statuses).toEqual(['n1']);
  await page.until(() => tab.items.size === 2);
  expect([...tab.items.keys()]).toEqual(['roomcast:alice:switch', 'roomcast:bob:switch']);
});

test('a page whose user is disconnected is informed, and may connect again', async () => {
  await backend.publish('ended', 'n0', { alice: 'observer' });
  const page = await Page.open(dev, 'alice');
  await page.join('ended');
  await backend.disconnect('alice');
  await page.until(() => page.roomcast.getSnapshot().status === 'ended');
  expect(page.roomcast.getSnapshot()).toEqual({ status: 'ended', reason: 'io server disconnect' });
  await backend.publish('ended', 'n1');
  page.roomcast.connect();
  await page.until(() => page.statuses.includes('n1'));
  expect(page.session('ended').status).toBe('joined');
});

test('the page may disconnect and connect the raw socket', async () => {
  const page = await Page.open(dev, 'alice');
  page.roomcast.socket.disconnect();
  expect(page.roomcast.getSnapshot()).toEqual({ status: 'idle' });
  page.roomcast.socket.connect();
  await page.connected();
});

test('a page retries until an unreachable edge is reachable', async () => {
  const server = stopAfterTest(await RoomcastProcess.dev());
  await server.stop();
  const page = new Page(server, 'alice');
  page.roomcast.connect();
  await page.until(() => page.roomcast.getSnapshot().status === 'reconnecting');
  await server.restart();
  await page.connected();
});

test('outside a browser the option url is required', () => {
  expect(() => createRoomcast({ token: 'x' })).toThrow('url');
});

test('the option userClaim names the claim of the user', async () => {
  const server = stopAfterTest(await RoomcastProcess.dev(['--jwt-user-claim', 'uid']));
  const ownBackend = Backend.of(server);
  await ownBackend.publish('claim', 'n0', { alice: 'observer' });
  const token = devToken('other', 60, { uid: 'alice' });
  const page = await Page.open(server, 'alice', { token, userClaim: 'uid' });
  await page.join('claim');
  expect([page.roomcast.user, page.session('claim').role]).toEqual(['alice', 'observer']);
  ownBackend.close();
});

test('no token is stored or part of a state', async () => {
  const tab = new TabStorage();
  await backend.publish('secret', 'n0', { alice: 'observer' });
  const token = devToken('alice');
  const page = await Page.open(dev, 'alice', { token, storage: tab });
  await page.join('secret');
  await page.until(() => tab.items.size === 1);
  expect(JSON.stringify([...tab.items, page.roomcast.getSnapshot(), page.session('secret')])).not.toContain(
    token,
  );
  expect(JSON.stringify(page.roomcast.getSnapshot())).not.toContain(token.split('.')[2]);
});
