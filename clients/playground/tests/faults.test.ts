import { RedisProcess } from '@roomcast/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { offsetOf } from './playground-page';
import { Stage } from './test-environment';

let redis: RedisProcess;
let stage: Stage;
beforeAll(async () => {
  redis = await RedisProcess.start();
  stage = await Stage.set(['--redis-url', redis.url]);
});
afterEach(() => stage.clear());
afterAll(async () => {
  await stage.strike();
  await redis.stop();
});

const PAIR = { alice: 'interviewer', bob: 'interviewee' };

async function twoPages(session: string) {
  await stage.backend.publish(session, 'running', PAIR);
  const [one, other] = await Promise.all([
    stage.open({ session, users: ['alice'] }),
    stage.open({ session, users: ['bob'] }),
  ]);
  const [alice, bob] = [one.card('alice'), other.card('bob')];
  await Promise.all([alice.shows('running'), bob.shows('running')]);
  return { alice, bob };
}

const publish = async (session: string, times: number): Promise<number> => {
  let last = 0;
  for (let round = 1; round <= times; round += 1) {
    last = offsetOf(await stage.backend.publish(session, 'running', undefined, { round }));
  }
  return last;
};

test('a server that is killed and started again loses nothing, and repeats nothing', async () => {
  const { alice, bob } = await twoPages('restart');
  await publish('restart', 3);
  await Promise.all([alice.hasAll(2, 4), bob.hasAll(2, 4)]);

  await stage.dev.stop('SIGKILL');
  await Promise.all([alice.becomes('reconnecting'), bob.becomes('reconnecting')]);
  await stage.dev.startAgain();
  const last = await publish('restart', 10);

  await Promise.all([alice.hasAll(2, last), bob.hasAll(2, last)]);
  await Promise.all([alice.says(/recovered, nothing was missed/), bob.says(/recovered, nothing was missed/)]);
});

test('a browser that is cut off gets what it missed, and shows that it is a replay', async () => {
  const { alice, bob } = await twoPages('cut');
  await bob.button('Cut for 5 s').click();
  await bob.becomes('reconnecting');
  const last = await publish('cut', 4);
  await alice.hasAll(2, last);
  expect(await bob.offsets()).toEqual([]);
  await bob.hasAll(2, last);
  expect(await bob.replayed()).toEqual([2, 3, 4, 5]);
  expect(await alice.replayed()).toEqual([]);
  await bob.hasAll(2, last);
  const live = await publish('cut', 1);
  await bob.hasAll(2, live);
  expect(await bob.replayed()).toEqual([2, 3, 4, 5]);
});

test('a browser comes back by another edge, recovered', async () => {
  const { alice, bob } = await twoPages('edges');
  await publish('edges', 1);
  await bob.hasAll(2, 2);
  await bob.button('Go to edge B').click();
  await bob.says('Back by edge B: recovered, nothing was missed');
  const there = await publish('edges', 2);
  await Promise.all([alice.hasAll(2, there), bob.hasAll(2, there)]);

  await bob.button('Go to edge A').click();
  await bob.says('Back by edge A: recovered, nothing was missed');
  const back = await publish('edges', 2);
  await Promise.all([alice.hasAll(2, back), bob.hasAll(2, back)]);
});

test('a token that expires ends the connection, and a new one goes on from there', async () => {
  const { alice, bob } = await twoPages('token');
  await publish('token', 1);
  await bob.hasAll(2, 2);
  await bob.button('Expire token').click();
  await bob.says(/No new token is handed out/);
  await expect.poll(() => bob.connection(), { timeout: 15_000 }).not.toBe('connected');
  const missed = await publish('token', 3);
  await alice.hasAll(2, missed);
  await bob.says('The last one has expired.');
  expect(await bob.offsets()).toEqual([2]);
  await bob.button('Hand out a new token').click();
  await bob.becomes('connected');
  await bob.hasAll(2, missed);
  expect(await bob.replayed()).toEqual([3, 4, 5]);
});

test('a user whom the backend disconnects can connect again', async () => {
  const { bob } = await twoPages('disconnect');
  await stage.backend.disconnect('bob');
  await bob.becomes('ended');
  const missed = await publish('disconnect', 2);
  await bob.button('Connect again').click();
  await bob.becomes('connected');
  await bob.hasAll(2, missed);
});
