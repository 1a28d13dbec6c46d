import { Backend, devToken, RoomcastProcess } from '@roomcast/testing';
import { backend, dev } from '@roomcast/testing/dev';
import { expect, test } from 'vitest';

import { createRoomcast, type ConnectionState } from '../../src/index.js';
import { forThisTest, Page, Tab } from './page.js';

/** Every state from here on. */
function states(page: Page): ConnectionState[] {
  const all: ConnectionState[] = [];
  page.roomcast.onState(() => all.push(page.roomcast.state));
  return all;
}

test('a connection says where it stands', async () => {
  const page = new Page(dev, 'alice');
  const all = states(page);
  expect(page.roomcast.state).toEqual({ status: 'idle' });
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

test('closed right after it began, and begun again, is one connection', async () => {
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

test('closed while it waits for a token stays closed', async () => {
  let give: (token: string) => void = () => undefined;
  const answer = new Promise<string>((resolve) => (give = resolve));
  const page = new Page(dev, 'alice', { getToken: () => answer });
  page.roomcast.connect();
  expect(page.roomcast.state).toEqual({ status: 'connecting' });
  page.roomcast.close();
  give(devToken('alice'));
  // A whole connection later.
  await Page.open(dev, 'bob');
  expect(page.roomcast.state).toEqual({ status: 'idle' });
  expect(page.roomcast.socket.active).toBe(false);
});

test('what is held is joined again after close and connect, and nothing is missed', async () => {
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

test('a token that is bad is refused, and another one goes on', async () => {
  for (const [token, code] of [
    ['', 'token_missing'],
    ['x.y.z', 'token_invalid'],
    [devToken('alice', -60), 'token_expired'],
  ] as const) {
    const page = new Page(dev, 'alice', { token });
    page.roomcast.connect();
    await page.until(() => page.roomcast.state.status === 'refused');
    expect(page.roomcast.state).toMatchObject({ code });
    page.roomcast.setToken(devToken('alice'));
    await page.connected();
  }
});

test('a token is asked for when there is none', async () => {
  let asked = 0;
  const getToken = () => {
    asked++;
    return devToken('alice');
  };
  const page = await Page.open(dev, 'alice', { getToken });
  expect(asked).toBe(1);
  expect(page.roomcast.user).toBe('alice');
  await page.breakConnection();
  await page.connected();
  expect(asked).toBe(1);
});

test('a way to a token that fails is tried again', async () => {
  const answers = [() => Promise.reject(new Error('no network')), () => Promise.resolve(devToken('alice'))];
  const page = new Page(dev, 'alice', { getToken: () => (answers.shift() ?? (() => Promise.resolve('')))() });
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
  let asked = 0;
  const page = await Page.open(dev, 'alice', {
    getToken: () => {
      asked++;
      return Promise.resolve(devToken('alice', 4));
    },
  });
  await page.join('renewed');
  const all = states(page);
  const id = page.roomcast.socket.id;
  await page.until(() => asked >= 4);
  expect(all).toEqual([]);
  expect(page.roomcast.socket.id).toBe(id);
});

test('a token that expired is replaced by another one, and nothing is missed', async () => {
  await backend.publish('expired', 'n0', { alice: 'observer' });
  let asked = 0;
  const page = await Page.open(dev, 'alice', {
    token: devToken('alice', 2),
    // The renewal hangs, so that the token expires on the live connection.
    getToken: () => {
      asked++;
      return asked === 1 ? new Promise<string>(() => undefined) : devToken('alice');
    },
  });
  await page.join('expired');
  const all = states(page);
  await page.until(() => all.some(({ status }) => status === 'reconnecting') && !page.roomcast.socket.active);
  await backend.publish('expired', 'n1');
  expect(asked).toBe(1);
  page.roomcast.setToken(devToken('alice'));
  await page.until(() => page.statuses.includes('n1'));
  expect(page.roomcast.state).toEqual({ status: 'connected', recovered: true });
});

test('token_expired at connect has the last word, whatever the clock says', async () => {
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

test('a token is replaced without a break', async () => {
  const page = await Page.open(dev, 'alice', { token: devToken('alice', 2) });
  const all = states(page);
  const end = Date.now() + 3_000;
  page.roomcast.setToken(devToken('alice'));
  await page.until(() => Date.now() > end);
  expect(all).toEqual([]);
});

test('a token of another user begins anew, with nothing of the first', async () => {
  const tab = new Tab();
  await backend.publish('switch', 'n0', { alice: 'interviewer', bob: 'observer' });
  const page = await Page.open(dev, 'alice', { storage: tab });
  await page.join('switch');
  await backend.publish('switch', 'n1');
  await page.until(() => page.statuses.length === 1);
  page.roomcast.setToken(devToken('bob'));
  expect(page.session('switch')).toMatchObject({ status: 'joining', session: undefined, role: undefined });
  await page.until(() => page.session('switch').status === 'joined');
  expect(page.roomcast.user).toBe('bob');
  expect(page.roomcast.state).toEqual({ status: 'connected', recovered: false });
  expect(page.session('switch')).toMatchObject({ role: 'observer', resets: 0 });
  expect(page.statuses).toEqual(['n1']);
  await page.until(() => tab.kept.size === 2);
  expect([...tab.kept.keys()]).toEqual(['roomcast:alice:switch', 'roomcast:bob:switch']);
});

test('a user who is disconnected is told, and may come again', async () => {
  await backend.publish('ended', 'n0', { alice: 'observer' });
  const page = await Page.open(dev, 'alice');
  await page.join('ended');
  await backend.disconnect('alice');
  await page.until(() => page.roomcast.state.status === 'ended');
  expect(page.roomcast.state).toEqual({ status: 'ended', reason: 'io server disconnect' });
  await backend.publish('ended', 'n1');
  page.roomcast.connect();
  await page.until(() => page.statuses.includes('n1'));
  expect(page.session('ended').status).toBe('joined');
});

test('the page may use the raw socket, also to disconnect', async () => {
  const page = await Page.open(dev, 'alice');
  page.roomcast.socket.disconnect();
  expect(page.roomcast.state).toEqual({ status: 'idle' });
  page.roomcast.socket.connect();
  await page.connected();
});

test('an edge that can not be reached is tried again', async () => {
  const server = forThisTest(await RoomcastProcess.dev());
  await server.stop();
  const page = new Page(server, 'alice');
  page.roomcast.connect();
  await page.until(() => page.roomcast.state.status === 'reconnecting');
  await server.startAgain();
  await page.connected();
});

test('outside of a page, it says that it needs a url', () => {
  expect(() => createRoomcast({ token: 'x' })).toThrow('url');
});

test('a user claim of another name is read', async () => {
  const server = forThisTest(await RoomcastProcess.dev(['--jwt-user-claim', 'uid']));
  const its = Backend.of(server);
  await its.publish('claim', 'n0', { alice: 'observer' });
  const token = devToken('somebody', 60, { uid: 'alice' });
  const page = await Page.open(server, 'alice', { token, userClaim: 'uid' });
  await page.join('claim');
  expect([page.roomcast.user, page.session('claim').role]).toEqual(['alice', 'observer']);
  its.close();
});

test('no token is kept or logged', async () => {
  const tab = new Tab();
  await backend.publish('secret', 'n0', { alice: 'observer' });
  const token = devToken('alice');
  const page = await Page.open(dev, 'alice', { token, storage: tab });
  await page.join('secret');
  await page.until(() => tab.kept.size === 1);
  expect(JSON.stringify([...tab.kept, page.roomcast.state, page.session('secret')])).not.toContain(token);
  expect(JSON.stringify(page.roomcast.state)).not.toContain(token.split('.')[2]);
});
