import { Backend, RedisProcess, RoomcastProcess } from '@roomcast/testing';
import { backend, dev } from '@roomcast/testing/dev';
import { expect, test } from 'vitest';

import { stopAfterTest, Page, TabStorage } from './page.js';

const participants = { alice: 'interviewer', bob: 'interviewee' };
const statuses = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => `n${from + at}`);

async function publish(session: string, from: number, to: number): Promise<void> {
  for (const status of statuses(from, to)) await backend.publish(session, status);
}

test('a reloaded page receives each missed event once, and its session never goes back in time', async () => {
  const tab = new TabStorage();
  await backend.publish('reload', 'n0', participants);
  const before = await Page.open(dev, 'alice', { storage: tab });
  await before.join('reload');
  await publish('reload', 1, 5);
  await before.until(() => before.statuses.includes('n5'));
  await before.unload();
  await publish('reload', 6, 30);

  const after = await Page.open(dev, 'alice', { storage: tab });
  const snapshots: unknown[] = [];
  after.roomcast.session('reload').subscribe(() => snapshots.push(after.session('reload').session?.status));
  const publishing = publish('reload', 31, 60);
  await after.join('reload');
  await publishing;
  await after.until(
    () => after.session('reload').session?.status === 'n60' && after.statuses.includes('n60'),
  );
  expect(before.statuses).toEqual(statuses(1, 5));
  expect(after.statuses).toEqual(statuses(6, 60));
  expect(after.session('reload').resets).toBe(0);
  expect(after.names().filter((name) => name === 'session-joined')).toHaveLength(1);
  const order = snapshots
    .filter((status) => status !== undefined)
    .map((status) => Number(String(status).slice(1)));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order[0]).toBeGreaterThanOrEqual(30);
});

test('repeated reloads during publishing lose and repeat no event', async () => {
  const tab = new TabStorage();
  await backend.publish('reloads', 'n0', participants);
  const first = await Page.open(dev, 'alice', { storage: tab });
  await first.join('reloads');
  await first.until(() => tab.items.size === 1);
  await first.unload();
  const publishing = publish('reloads', 1, 200);
  const received: unknown[] = [];
  for (let reload = 0; reload < 8; reload++) {
    const page = await Page.open(dev, 'alice', { storage: tab });
    await page.join('reloads');
    const target = page.statuses.length + 5;
    await page.until(() => page.statuses.length >= target || page.statuses.includes('n200'));
    await page.unload();
    received.push(...page.statuses);
  }
  await publishing;
  const last = await Page.open(dev, 'alice', { storage: tab });
  await last.join('reloads');
  await last.until(() => received.includes('n200') || last.statuses.includes('n200'));
  expect([...received, ...last.statuses]).toEqual(statuses(1, 200));
});

test('without a saved position a reload starts with the current session', async () => {
  await backend.publish('unsaved', 'n0', participants);
  const before = await Page.open(dev, 'alice');
  await before.join('unsaved');
  await before.unload();
  await publish('unsaved', 1, 3);
  const after = await Page.open(dev, 'alice');
  await after.join('unsaved');
  expect(after.session('unsaved')).toMatchObject({ session: { status: 'n3' }, resets: 0 });
  expect(after.names()).toEqual(['session-joined']);
});

test('an invalid saved position does not prevent the join', async () => {
  const tab = new TabStorage();
  tab.setItem('roomcast:alice:garbage', 'not a position');
  await backend.publish('garbage', 'n0', participants);
  const page = await Page.open(dev, 'alice', { storage: tab });
  await page.join('garbage');
  await page.until(() => tab.getItem('roomcast:alice:garbage')?.startsWith('1;') ?? false);
});

test('another user does not use the saved position', async () => {
  const tab = new TabStorage();
  await backend.publish('mine', 'n0', participants);
  const alice = await Page.open(dev, 'alice', { storage: tab });
  await alice.join('mine');
  await alice.until(() => tab.items.size === 1);
  await alice.unload();
  await publish('mine', 1, 2);
  const bob = await Page.open(dev, 'bob', { storage: tab });
  await bob.join('mine');
  expect(bob.names()).toEqual(['session-joined']);
});

test('an interrupted connection is recovered by another edge', async () => {
  const edge = stopAfterTest(await RoomcastProcess.edge(dev));
  await backend.publish('broken', 'n0', participants);
  const page = await Page.open(dev, 'alice');
  await page.join('broken');
  await publish('broken', 1, 3);
  await page.until(() => page.statuses.includes('n3'));
  Object.assign(page.roomcast.socket.io, { uri: edge.url });
  Object.assign(page.roomcast.socket.io.opts, { hostname: '127.0.0.1', port: new URL(edge.url).port });
  await page.breakConnection();
  expect(page.roomcast.getSnapshot()).toEqual({ status: 'reconnecting', reason: 'forced close' });
  await publish('broken', 4, 9);
  await page.until(() => page.statuses.includes('n9'));
  expect(page.roomcast.getSnapshot()).toEqual({ status: 'connected', recovered: true });
  expect(page.statuses).toEqual(statuses(1, 9));
  expect(page.session('broken')).toMatchObject({ status: 'joined', session: { status: 'n9' }, resets: 0 });
});

test('a session that is held while disconnected is joined after the reconnection', async () => {
  await backend.publish('meanwhile', 'n0', participants);
  await backend.publish('kept', 'n0', participants);
  const page = await Page.open(dev, 'alice');
  await page.join('kept');
  await page.breakConnection();
  page.roomcast.join('meanwhile');
  expect(page.session('meanwhile').status).toBe('joining');
  await page.until(() => page.session('meanwhile').status === 'joined');
  expect(page.roomcast.getSnapshot()).toEqual({ status: 'connected', recovered: true });
});

test('a join whose response was lost with the connection is requested again', async () => {
  await backend.publish('unanswered', 'n0', participants);
  const page = await Page.open(dev, 'alice', { socketOptions: { transports: ['websocket'] } });
  page.roomcast.join('unanswered');
  await page.breakConnection();
  expect(page.session('unanswered').status).toBe('joining');
  await page.until(() => page.session('unanswered').status === 'joined');
  await publish('unanswered', 1, 1);
  await page.until(() => page.statuses.includes('n1'));
  expect(page.statuses).toEqual(['n1']);
});

test('a session that is left while disconnected stays left after a recovery', async () => {
  await backend.publish('left', 'n0', participants);
  const page = await Page.open(dev, 'alice');
  const leave = await page.join('left');
  await page.breakConnection();
  leave();
  const left = new Promise((resolve) => page.roomcast.socket.onAnyOutgoing((event) => resolve(event)));
  await page.connected();
  expect(page.roomcast.getSnapshot()).toMatchObject({ recovered: true });
  expect(await left).toBe('leave-session');
  await publish('left', 1, 3);
  await page.join('left');
  expect(page.statuses).toEqual([]);
  expect(page.session('left').session?.status).toBe('n3');
});

test('a removal while disconnected is reported after the reconnection', async () => {
  await backend.publish('removed', 'n0', participants);
  const page = await Page.open(dev, 'alice');
  await page.join('removed');
  await page.breakConnection();
  await backend.remove('removed', 'alice');
  await page.until(() => page.session('removed').status === 'revoked');
});

test('a position before the retained log leads to a reset', async () => {
  const short = stopAfterTest(await RoomcastProcess.dev(['--log-entries', '5']));
  const ownBackend = Backend.of(short);
  await ownBackend.publish('short', 'n0', participants);
  const page = await Page.open(short, 'alice');
  await page.join('short');
  page.roomcast.close();
  for (const status of statuses(1, 300)) await ownBackend.publish('short', status);
  page.roomcast.connect();
  await page.until(() => page.session('short').session?.status === 'n300');
  expect(page.session('short')).toMatchObject({ status: 'joined', resets: 1 });
  expect(page.roomcast.getSnapshot()).toEqual({ status: 'connected', recovered: false });
  await ownBackend.publish('short', 'n301');
  await page.until(() => page.statuses.includes('n301'));
  expect(page.statuses).toEqual(['n301']);
  ownBackend.close();
});

test('a server that restarts without data leads to a reset, and later events are delivered', async () => {
  const server = stopAfterTest(await RoomcastProcess.dev());
  const ownBackend = Backend.of(server);
  const tab = new TabStorage();
  await ownBackend.publish('restart', 'n0', participants);
  const page = await Page.open(server, 'alice', { storage: tab });
  await page.join('restart');
  const position = page.session('restart').position;
  await server.stop('SIGKILL');
  await page.until(() => page.roomcast.getSnapshot().status === 'reconnecting');
  await server.restart();
  await ownBackend.publish('restart', 'm0', participants);
  await page.connected();
  await page.until(() => page.session('restart').status !== 'joining');
  // The page requests the join when it reconnects, possibly before the session exists again.
  if (page.session('restart').status === 'denied') await page.join('restart');
  await page.until(() => page.session('restart').session?.status === 'm0');
  expect(page.session('restart').position).not.toBe(position);
  await ownBackend.publish('restart', 'm1');
  await page.until(() => page.statuses.includes('m1'));
  expect(page.statuses).toEqual(['m1']);
  ownBackend.close();
});

test('a server that restarts with its data resumes its pages', async () => {
  const redis = stopAfterTest(await RedisProcess.start());
  const server = stopAfterTest(await RoomcastProcess.dev(['--redis-url', redis.url]));
  const ownBackend = Backend.of(server);
  await ownBackend.publish('kept', 'n0', participants);
  const page = await Page.open(server, 'alice');
  await page.join('kept');
  await ownBackend.publish('kept', 'n1');
  await page.until(() => page.statuses.includes('n1'));
  await server.stop('SIGKILL');
  await page.until(() => page.roomcast.getSnapshot().status === 'reconnecting');
  await server.restart();
  for (const status of ['n2', 'n3']) await ownBackend.publish('kept', status);
  await page.until(() => page.statuses.includes('n3'));
  expect(page.roomcast.getSnapshot()).toEqual({ status: 'connected', recovered: true });
  expect(page.statuses).toEqual(['n1', 'n2', 'n3']);
  expect(page.session('kept').resets).toBe(0);
  ownBackend.close();
});

test('a lost log resets the session of the page', async () => {
  const redis = stopAfterTest(await RedisProcess.start());
  const server = stopAfterTest(await RoomcastProcess.dev(['--redis-url', redis.url]));
  const ownBackend = Backend.of(server);
  await ownBackend.publish('lost', 'n0', participants);
  const page = await Page.open(server, 'alice');
  await page.join('lost');
  await ownBackend.publish('lost', 'n1');
  await ownBackend.publish('lost', 'n2');
  await page.until(() => page.statuses.includes('n2'));
  await redis.flush();
  await ownBackend.publish('lost', 'm0', participants);
  await page.until(() => page.names().includes('session-reset'));
  expect(page.session('lost')).toMatchObject({ status: 'joined', session: { status: 'm0' }, resets: 1 });
  await ownBackend.publish('lost', 'm1');
  await page.until(() => page.statuses.includes('m1'));
  expect(page.statuses).toEqual(['n1', 'n2', 'm1']);
  ownBackend.close();
});

test('a temporary failure is retried and is not a denial', async () => {
  const redis = stopAfterTest(await RedisProcess.start());
  const server = stopAfterTest(await RoomcastProcess.dev(['--redis-url', redis.url]));
  const ownBackend = Backend.of(server);
  await ownBackend.publish('away', 'n0', participants);
  const page = await Page.open(server, 'alice');
  let requests = 0;
  page.roomcast.socket.onAnyOutgoing(() => requests++);
  const membershipStatuses = new Set<string>();
  page.roomcast.session('away').subscribe(() => membershipStatuses.add(page.session('away').status));
  redis.pause();
  page.roomcast.join('away');
  await page.until(() => requests >= 2);
  redis.resume();
  await page.until(() => page.session('away').status === 'joined');
  expect([...membershipStatuses]).toEqual(['joining', 'joined']);
  ownBackend.close();
});
