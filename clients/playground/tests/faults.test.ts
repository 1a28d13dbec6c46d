import { RedisProcess } from '@roomcast/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { offsetOf } from './playground-page';
import { TestEnvironment } from './test-environment';

let redis: RedisProcess;
let environment: TestEnvironment;
beforeAll(async () => {
  redis = await RedisProcess.start();
  environment = await TestEnvironment.start(['--redis-url', redis.url]);
});
afterEach(() => environment.closePages());
afterAll(async () => {
  await environment.stop();
  await redis.stop();
});

const PARTICIPANTS = { alice: 'interviewer', bob: 'interviewee' };

async function twoPages(session: string) {
  await environment.backend.publish(session, 'running', PARTICIPANTS);
  const [one, other] = await Promise.all([
    environment.open({ session, users: ['alice'] }),
    environment.open({ session, users: ['bob'] }),
  ]);
  const [alice, bob] = [one.card('alice'), other.card('bob')];
  await Promise.all([alice.waitForStatus('running'), bob.waitForStatus('running')]);
  return { alice, bob };
}

const publish = async (session: string, times: number): Promise<number> => {
  let last = 0;
  for (let round = 1; round <= times; round += 1) {
    last = offsetOf(await environment.backend.publish(session, 'running', undefined, { round }));
  }
  return last;
};

test('a restart of the server loses and repeats no event', async () => {
  const { alice, bob } = await twoPages('restart');
  await publish('restart', 3);
  await Promise.all([alice.expectOffsets(2, 4), bob.expectOffsets(2, 4)]);

  await environment.dev.stop('SIGKILL');
  await Promise.all([alice.waitForConnection('reconnecting'), bob.waitForConnection('reconnecting')]);
  await environment.dev.restart();
  const last = await publish('restart', 10);

  await Promise.all([alice.expectOffsets(2, last), bob.expectOffsets(2, last)]);
  await Promise.all([
    alice.waitForText(/recovered, no event was missed/),
    bob.waitForText(/recovered, no event was missed/),
  ]);
});

test('a disconnected browser receives the missed events and shows them as replayed', async () => {
  const { alice, bob } = await twoPages('cut');
  await bob.button('Cut for 5 s').click();
  await bob.waitForConnection('reconnecting');
  const last = await publish('cut', 4);
  await alice.expectOffsets(2, last);
  expect(await bob.offsets()).toEqual([]);
  await bob.expectOffsets(2, last);
  expect(await bob.replayedOffsets()).toEqual([2, 3, 4, 5]);
  expect(await alice.replayedOffsets()).toEqual([]);
  await bob.expectOffsets(2, last);
  const live = await publish('cut', 1);
  await bob.expectOffsets(2, live);
  expect(await bob.replayedOffsets()).toEqual([2, 3, 4, 5]);
});

test('a browser reconnects through another edge and is recovered', async () => {
  const { alice, bob } = await twoPages('edges');
  await publish('edges', 1);
  await bob.expectOffsets(2, 2);
  await bob.button('Use edge B').click();
  await bob.waitForText('Reconnected through edge B: recovered, no event was missed');
  const lastThere = await publish('edges', 2);
  await Promise.all([alice.expectOffsets(2, lastThere), bob.expectOffsets(2, lastThere)]);

  await bob.button('Use edge A').click();
  await bob.waitForText('Reconnected through edge A: recovered, no event was missed');
  const lastBack = await publish('edges', 2);
  await Promise.all([alice.expectOffsets(2, lastBack), bob.expectOffsets(2, lastBack)]);
});

test('an expired token ends the connection, and a new token continues from the same position', async () => {
  const { alice, bob } = await twoPages('token');
  await publish('token', 1);
  await bob.expectOffsets(2, 2);
  await bob.button('Expire token').click();
  await bob.waitForText(/No new token is issued/);
  await expect.poll(() => bob.connectionStatus(), { timeout: 15_000 }).not.toBe('connected');
  const missed = await publish('token', 3);
  await alice.expectOffsets(2, missed);
  await bob.waitForText('The last token has expired.');
  expect(await bob.offsets()).toEqual([2]);
  await bob.button('Issue a new token').click();
  await bob.waitForConnection('connected');
  await bob.expectOffsets(2, missed);
  expect(await bob.replayedOffsets()).toEqual([3, 4, 5]);
});

test('a user whom the backend disconnected can connect again', async () => {
  const { bob } = await twoPages('disconnect');
  await environment.backend.disconnect('bob');
  await bob.waitForConnection('ended');
  const missed = await publish('disconnect', 2);
  await bob.button('Connect again').click();
  await bob.waitForConnection('connected');
  await bob.expectOffsets(2, missed);
});
