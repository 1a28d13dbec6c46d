import { Backend, RedisProcess, RoomcastProcess } from '@roomcast/testing';
import { backend, dev } from '@roomcast/testing/dev';
import { expect, test } from 'vitest';

import { forThisTest, Page, Tab } from './page.js';

const people = { alice: 'interviewer', bob: 'interviewee' };
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => `n${from + at}`);

async function publish(session: string, from: number, to: number): Promise<void> {
  for (const status of numbers(from, to)) await backend.publish(session, status);
}

test('a page that reloads gets what it missed, each once, and never goes back in time', async () => {
  const tab = new Tab();
  await backend.publish('reload', 'n0', people);
  const before = await Page.open(dev, 'alice', { storage: tab });
  await before.join('reload');
  await publish('reload', 1, 5);
  await before.until(() => before.statuses.includes('n5'));
  await before.unload();
  await publish('reload', 6, 30);

  const after = await Page.open(dev, 'alice', { storage: tab });
  const shown: unknown[] = [];
  after.roomcast.session('reload').onState(() => shown.push(after.session('reload').session?.status));
  const publishing = publish('reload', 31, 60);
  await after.join('reload');
  await publishing;
  await after.until(
    () => after.session('reload').session?.status === 'n60' && after.statuses.includes('n60'),
  );
  expect(before.statuses).toEqual(numbers(1, 5));
  expect(after.statuses).toEqual(numbers(6, 60));
  expect(after.session('reload').resets).toBe(0);
  expect(after.names().filter((name) => name === 'session-joined')).toHaveLength(1);
  const order = shown
    .filter((status) => status !== undefined)
    .map((status) => Number(String(status).slice(1)));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order[0]).toBeGreaterThanOrEqual(30);
});

test('a reload again and again, while events are published, loses and repeats nothing', async () => {
  const tab = new Tab();
  await backend.publish('reloads', 'n0', people);
  const first = await Page.open(dev, 'alice', { storage: tab });
  await first.join('reloads');
  await first.until(() => tab.kept.size === 1);
  await first.unload();
  const publishing = publish('reloads', 1, 200);
  const seen: unknown[] = [];
  for (let reload = 0; reload < 8; reload++) {
    const page = await Page.open(dev, 'alice', { storage: tab });
    await page.join('reloads');
    const enough = page.statuses.length + 5;
    await page.until(() => page.statuses.length >= enough || page.statuses.includes('n200'));
    await page.unload();
    seen.push(...page.statuses);
  }
  await publishing;
  const last = await Page.open(dev, 'alice', { storage: tab });
  await last.join('reloads');
  await last.until(() => seen.includes('n200') || last.statuses.includes('n200'));
  expect([...seen, ...last.statuses]).toEqual(numbers(1, 200));
});

test('where no position is kept, a reload begins with the session as it stands', async () => {
  await backend.publish('forgetful', 'n0', people);
  const before = await Page.open(dev, 'alice');
  await before.join('forgetful');
  await before.unload();
  await publish('forgetful', 1, 3);
  const after = await Page.open(dev, 'alice');
  await after.join('forgetful');
  expect(after.session('forgetful')).toMatchObject({ session: { status: 'n3' }, resets: 0 });
  expect(after.names()).toEqual(['session-joined']);
});

test('what was kept and is no position does not keep the page out', async () => {
  const tab = new Tab();
  tab.setItem('roomcast:alice:garbage', 'what is this');
  await backend.publish('garbage', 'n0', people);
  const page = await Page.open(dev, 'alice', { storage: tab });
  await page.join('garbage');
  await page.until(() => tab.getItem('roomcast:alice:garbage')?.startsWith('1;') ?? false);
});

test('another user does not get the position', async () => {
  const tab = new Tab();
  await backend.publish('mine', 'n0', people);
  const alice = await Page.open(dev, 'alice', { storage: tab });
  await alice.join('mine');
  await alice.until(() => tab.kept.size === 1);
  await alice.unload();
  await publish('mine', 1, 2);
  const bob = await Page.open(dev, 'bob', { storage: tab });
  await bob.join('mine');
  expect(bob.names()).toEqual(['session-joined']);
});

test('a connection that breaks is recovered, on another edge too', async () => {
  const edge = forThisTest(await RoomcastProcess.edge(dev));
  await backend.publish('broken', 'n0', people);
  const page = await Page.open(dev, 'alice');
  await page.join('broken');
  await publish('broken', 1, 3);
  await page.until(() => page.statuses.includes('n3'));
  Object.assign(page.roomcast.socket.io, { uri: edge.url });
  Object.assign(page.roomcast.socket.io.opts, { hostname: '127.0.0.1', port: new URL(edge.url).port });
  await page.breakConnection();
  expect(page.roomcast.state).toEqual({ status: 'reconnecting', reason: 'forced close' });
  await publish('broken', 4, 9);
  await page.until(() => page.statuses.includes('n9'));
  expect(page.roomcast.state).toEqual({ status: 'connected', recovered: true });
  expect(page.statuses).toEqual(numbers(1, 9));
  expect(page.session('broken')).toMatchObject({ status: 'joined', session: { status: 'n9' }, resets: 0 });
});

test('what is joined while the connection is away is joined when it is back', async () => {
  await backend.publish('meanwhile', 'n0', people);
  await backend.publish('kept', 'n0', people);
  const page = await Page.open(dev, 'alice');
  await page.join('kept');
  await page.breakConnection();
  page.roomcast.join('meanwhile');
  expect(page.session('meanwhile').status).toBe('joining');
  await page.until(() => page.session('meanwhile').status === 'joined');
  expect(page.roomcast.state).toEqual({ status: 'connected', recovered: true });
});

test('a join whose answer was lost with the connection is asked anew', async () => {
  await backend.publish('unanswered', 'n0', people);
  const page = await Page.open(dev, 'alice', { socketOptions: { transports: ['websocket'] } });
  page.roomcast.join('unanswered');
  await page.breakConnection();
  expect(page.session('unanswered').status).toBe('joining');
  await page.until(() => page.session('unanswered').status === 'joined');
  await publish('unanswered', 1, 1);
  await page.until(() => page.statuses.includes('n1'));
  expect(page.statuses).toEqual(['n1']);
});

test('what is left while the connection is away stays left when it is recovered', async () => {
  await backend.publish('gone', 'n0', people);
  const page = await Page.open(dev, 'alice');
  const leave = await page.join('gone');
  await page.breakConnection();
  leave();
  const left = new Promise((resolve) => page.roomcast.socket.onAnyOutgoing((event) => resolve(event)));
  await page.connected();
  expect(page.roomcast.state).toMatchObject({ recovered: true });
  expect(await left).toBe('leave-session');
  await publish('gone', 1, 3);
  await page.join('gone');
  expect(page.statuses).toEqual([]);
  expect(page.session('gone').session?.status).toBe('n3');
});

test('who is removed while the connection is away finds out', async () => {
  await backend.publish('fired', 'n0', people);
  const page = await Page.open(dev, 'alice');
  await page.join('fired');
  await page.breakConnection();
  await backend.remove('fired', 'alice');
  await page.until(() => page.session('fired').status === 'revoked');
});

test('a log that does not reach back that far is a reset', async () => {
  const short = forThisTest(await RoomcastProcess.dev(['--log-entries', '5']));
  const its = Backend.of(short);
  await its.publish('short', 'n0', people);
  const page = await Page.open(short, 'alice');
  await page.join('short');
  page.roomcast.close();
  for (const status of numbers(1, 300)) await its.publish('short', status);
  page.roomcast.connect();
  await page.until(() => page.session('short').session?.status === 'n300');
  expect(page.session('short')).toMatchObject({ status: 'joined', resets: 1 });
  expect(page.roomcast.state).toEqual({ status: 'connected', recovered: false });
  await its.publish('short', 'n301');
  await page.until(() => page.statuses.includes('n301'));
  expect(page.statuses).toEqual(['n301']);
  its.close();
});

test('a server that restarts with nothing is a reset, and what follows is told', async () => {
  const server = forThisTest(await RoomcastProcess.dev());
  const its = Backend.of(server);
  const tab = new Tab();
  await its.publish('restart', 'n0', people);
  const page = await Page.open(server, 'alice', { storage: tab });
  await page.join('restart');
  const position = page.session('restart').position;
  await server.stop('SIGKILL');
  await page.until(() => page.roomcast.state.status === 'reconnecting');
  await server.startAgain();
  await its.publish('restart', 'm0', people);
  await page.connected();
  await page.until(() => page.session('restart').status !== 'joining');
  // It asks as soon as it is back, perhaps before the session is there again.
  if (page.session('restart').status === 'denied') await page.join('restart');
  await page.until(() => page.session('restart').session?.status === 'm0');
  expect(page.session('restart').position).not.toBe(position);
  await its.publish('restart', 'm1');
  await page.until(() => page.statuses.includes('m1'));
  expect(page.statuses).toEqual(['m1']);
  its.close();
});

test('a server that restarts with everything resumes its pages', async () => {
  const redis = forThisTest(await RedisProcess.start());
  const server = forThisTest(await RoomcastProcess.dev(['--redis-url', redis.url]));
  const its = Backend.of(server);
  await its.publish('kept', 'n0', people);
  const page = await Page.open(server, 'alice');
  await page.join('kept');
  await its.publish('kept', 'n1');
  await page.until(() => page.statuses.includes('n1'));
  await server.stop('SIGKILL');
  await page.until(() => page.roomcast.state.status === 'reconnecting');
  await server.startAgain();
  for (const status of ['n2', 'n3']) await its.publish('kept', status);
  await page.until(() => page.statuses.includes('n3'));
  expect(page.roomcast.state).toEqual({ status: 'connected', recovered: true });
  expect(page.statuses).toEqual(['n1', 'n2', 'n3']);
  expect(page.session('kept').resets).toBe(0);
  its.close();
});

test('a log that is lost underneath replaces what the page knows', async () => {
  const redis = forThisTest(await RedisProcess.start());
  const server = forThisTest(await RoomcastProcess.dev(['--redis-url', redis.url]));
  const its = Backend.of(server);
  await its.publish('lost', 'n0', people);
  const page = await Page.open(server, 'alice');
  await page.join('lost');
  await its.publish('lost', 'n1');
  await its.publish('lost', 'n2');
  await page.until(() => page.statuses.includes('n2'));
  await redis.flush();
  await its.publish('lost', 'm0', people);
  await page.until(() => page.names().includes('session-reset'));
  expect(page.session('lost')).toMatchObject({ status: 'joined', session: { status: 'm0' }, resets: 1 });
  await its.publish('lost', 'm1');
  await page.until(() => page.statuses.includes('m1'));
  expect(page.statuses).toEqual(['n1', 'n2', 'm1']);
  its.close();
});

test('what passes is asked again, and is no denial', async () => {
  const redis = forThisTest(await RedisProcess.start());
  const server = forThisTest(await RoomcastProcess.dev(['--redis-url', redis.url]));
  const its = Backend.of(server);
  await its.publish('away', 'n0', people);
  const page = await Page.open(server, 'alice');
  let asked = 0;
  page.roomcast.socket.onAnyOutgoing(() => asked++);
  const statuses = new Set<string>();
  page.roomcast.session('away').onState(() => statuses.add(page.session('away').status));
  redis.standStill();
  page.roomcast.join('away');
  await page.until(() => asked >= 2);
  redis.goOn();
  await page.until(() => page.session('away').status === 'joined');
  expect([...statuses]).toEqual(['joining', 'joined']);
  its.close();
});
