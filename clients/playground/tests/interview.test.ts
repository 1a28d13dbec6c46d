import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { offsetOf } from './playground-page';
import { Stage } from './test-environment';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
});
afterEach(() => stage.clear());
afterAll(() => stage.strike());

const PAIR = { alice: 'interviewer', bob: 'interviewee' };

test('two users in two pages go through a whole interview', async () => {
  await stage.backend.publish('whole', 'scheduled', PAIR, { topic: 'Rust' });
  const [one, other] = await Promise.all([
    stage.open({ session: 'whole', users: ['alice'] }),
    stage.open({ session: 'whole', users: ['bob'] }),
  ]);
  const [alice, bob] = [one.card('alice'), other.card('bob')];
  await Promise.all([alice.shows('scheduled'), bob.shows('scheduled')]);
  await bob.says('Rust');

  // A seat that is taken, and one that is not.
  await bob.button('interviewer').click();
  await bob.says(/is taken by another participant/);
  await alice.button('observer').click();
  await bob.says('alice as observer');
  await bob.button('interviewer').click();
  await alice.says('bob as interviewer');
  await alice.button('interviewee').click();
  await bob.says('alice as interviewee');
  expect(await bob.offsets()).toEqual([2, 3, 4]);

  // The status is another one for both.
  await one.button('running').click();
  await Promise.all([alice.shows('running'), bob.shows('running')]);

  // Feedback falls due for one of them, and stays so over a reload.
  await bob.button('Ask for feedback').click();
  await bob.root.getByRole('form', { name: 'Feedback of bob' }).waitFor();
  expect(await alice.root.getByRole('form').count()).toBe(0);

  // The page is loaded again while events are published.
  const before = (await bob.offsets()).at(-1) ?? 0;
  let isReloading = true;
  const published = (async () => {
    let last = before;
    for (let round = 1; isReloading || round <= 20; round += 1) {
      last = offsetOf(await stage.backend.publish('whole', 'running', undefined, { round }));
      // As fast as the other page shows it.
      await alice.has(last);
    }
    return last;
  })();
  for (let times = 0; times < 2; times += 1) {
    await other.page.reload();
    await bob.shows('running');
  }
  isReloading = false;
  const last = await published;
  await Promise.all([bob.hasAll(2, last), alice.hasAll(2, last)]);
  expect(await bob.replayed()).not.toEqual([]);
  await bob.root.getByRole('form', { name: 'Feedback of bob' }).waitFor();

  // It is given, and both are told.
  await bob.root.getByRole('radio', { name: '5' }).check({ force: true });
  await bob.root.getByLabel('Note').fill('Calm and exact');
  await bob.button('Give feedback').click();
  await alice.says('bob: 5 of 5, “Calm and exact”');
  await bob.button('Ask for feedback').waitFor();

  // Who is removed is told that, and nothing more.
  const given = (await alice.offsets()).at(-1) ?? 0;
  const removal = offsetOf(await stage.backend.remove('whole', 'bob'));
  await bob.says('No longer a participant');
  const end = offsetOf(await stage.backend.publish('whole', 'finished'));
  await alice.hasAll(2, end, range(given + 1, removal));
  expect((await bob.offsets()).at(-1)).toBe(given);
  expect(await bob.told('session-revoked')).toBe(1);

  // Let in again, the page joins again.
  await stage.backend.selectRole('whole', 'bob', 'observer');
  await bob.says('A participant again');
  await bob.button('Join again').click();
  await bob.shows('finished');
});

test('a first-time visitor sees something work at once', async () => {
  const visitor = await stage.open();
  await visitor.startMockInterview();
  await visitor.button('Set it running').click();
  for (const user of ['alice', 'bob', 'carol']) await visitor.card(user).shows('running');
  expect(new URL(visitor.page.url()).search).toMatch(/^\?session=mock-\w{4}&users=alice,bob,carol$/);

  await visitor.page.reload();
  for (const user of ['alice', 'bob', 'carol']) {
    await visitor.card(user).shows('running');
    await visitor.card(user).says('The page was loaded again');
    await visitor.card(user).hasAll(2, 2);
  }
});

test('a page that comes before its session joins it once it is there', async () => {
  const visitor = await stage.open({ session: 'later', users: ['alice', 'dave'] });
  const [alice, dave] = [visitor.card('alice'), visitor.card('dave')];
  await alice.says(/session_not_found/);
  await visitor.button('Create it').click();
  await alice.shows('scheduled');
  await dave.shows('scheduled');

  await stage.backend.publish('others', 'running', PAIR);
  const stranger = (await stage.open({ session: 'others', users: ['eve'] })).card('eve');
  await stranger.says(/not_a_participant/);
  await stage.backend.selectRole('others', 'eve', 'observer');
  await stranger.shows('running');
});

test('each call has its command, and an error its details', async () => {
  await stage.backend.publish('calls', 'scheduled', PAIR);
  const visitor = await stage.open({ session: 'calls', users: ['alice'] });
  await visitor.card('alice').shows('scheduled');
  await visitor.page.getByRole('radio', { name: 'Select role' }).check();
  await visitor.page.getByLabel('User').fill("o'brien");
  await visitor.button('Call SelectRole').click();
  await visitor.page.getByText("“o'brien” is no id").waitFor();
  await visitor.page.getByLabel('User').fill('bob');
  await visitor.page.getByLabel('Role', { exact: true }).selectOption('ROLE_INTERVIEWER');
  const form = visitor.page.getByRole('form', { name: 'SelectRole' });
  expect(await form.locator('.command code').textContent()).toBe(
    `grpcurl -plaintext -d '{"sessionId":"calls","userId":"bob","role":"ROLE_INTERVIEWER"}' ` +
      `${stage.dev.address('grpc')} roomcast.v1.SessionService/SelectRole`,
  );
  await visitor.button('Call SelectRole').click();
  await form.getByText('FAILED_PRECONDITION').waitFor();
  await form.getByText('ROLE_TAKEN').waitFor();
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}
