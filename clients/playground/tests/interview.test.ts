import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { offsetOf, type BrowserCard, type PlaygroundPage } from './playground-page';
import { TestEnvironment } from './test-environment';

let environment: TestEnvironment;
beforeAll(async () => {
  environment = await TestEnvironment.start();
});
afterEach(() => environment.closePages());
afterAll(() => environment.stop());

const PARTICIPANTS = { alice: 'interviewer', bob: 'interviewee' };

test('two users in two pages go through a whole interview', async () => {
  await environment.backend.publish('whole', 'scheduled', PARTICIPANTS, { topic: 'Rust' });
  const [one, other] = await Promise.all([
    environment.open({ session: 'whole', users: ['alice'] }),
    environment.open({ session: 'whole', users: ['bob'] }),
  ]);
  const [alice, bob] = [one.card('alice'), other.card('bob')];
  await Promise.all([alice.waitForStatus('scheduled'), bob.waitForStatus('scheduled')]);
  await bob.waitForText('Rust');

  // A role that is taken, and a role that is free.
  await bob.button('interviewer').click();
  await bob.waitForText(/is taken by another participant/);
  await alice.button('observer').click();
  await bob.waitForText('alice as observer');
  await bob.button('interviewer').click();
  await alice.waitForText('bob as interviewer');
  await alice.button('interviewee').click();
  await bob.waitForText('alice as interviewee');
  expect(await bob.offsets()).toEqual([2, 3, 4]);

  // Both pages receive the new status.
  await one.button('running').click();
  await Promise.all([alice.waitForStatus('running'), bob.waitForStatus('running')]);

  // Feedback becomes pending for one user, and stays pending over a reload.
  await bob.button('Require feedback').click();
  await bob.root.getByRole('form', { name: 'Feedback of bob' }).waitFor();
  expect(await alice.root.getByRole('form').count()).toBe(0);

  // The page is reloaded while events are published.
  const last = await reloadWhilePublishing(other, alice, (await bob.offsets()).at(-1) ?? 0);
  await Promise.all([bob.expectOffsets(2, last), alice.expectOffsets(2, last)]);
  expect(await bob.replayedOffsets()).not.toEqual([]);
  await bob.root.getByRole('form', { name: 'Feedback of bob' }).waitFor();

  // It is submitted, and both pages receive it.
  await bob.root.getByRole('radio', { name: '5' }).check({ force: true });
  await bob.root.getByLabel('Note').fill('Calm and exact');
  await bob.button('Submit feedback').click();
  await alice.waitForText('bob: 5 of 5, “Calm and exact”');
  await bob.button('Require feedback').waitFor();

  // The removed user receives the revocation and no later event.
  const submitted = (await alice.offsets()).at(-1) ?? 0;
  const removal = offsetOf(await environment.backend.remove('whole', 'bob'));
  await bob.waitForText('No longer a participant');
  const end = offsetOf(await environment.backend.publish('whole', 'finished'));
  await alice.expectOffsets(2, end, range(submitted + 1, removal));
  expect((await bob.offsets()).at(-1)).toBe(submitted);
  expect(await bob.countEvents('session-revoked')).toBe(1);

  // The user becomes a participant again, and the page joins again.
  await environment.backend.selectRole('whole', 'bob', 'observer');
  await bob.waitForText('A participant again');
  await bob.button('Join again').click();
  await bob.waitForStatus('finished');
});

/** Reloads bob's page twice while events are published. Returns the offset of the last event. */
async function reloadWhilePublishing(
  bobsPage: PlaygroundPage,
  alice: BrowserCard,
  lastOffset: number,
): Promise<number> {
  let isReloading = true;
  const publishing = (async () => {
    let last = lastOffset;
    for (let round = 1; isReloading || round <= 20; round += 1) {
      last = offsetOf(await environment.backend.publish('whole', 'running', undefined, { round }));
      // The next event is published when the other page shows this one.
      await alice.waitForOffset(last);
    }
    return last;
  })();
  for (let times = 0; times < 2; times += 1) {
    await bobsPage.page.reload();
    await bobsPage.card('bob').waitForStatus('running');
  }
  isReloading = false;
  return publishing;
}

test('a new user starts a mock interview with one click', async () => {
  const playground = await environment.open();
  await playground.startMockInterview();
  await playground.button('Set to running').click();
  for (const user of ['alice', 'bob', 'carol']) await playground.card(user).waitForStatus('running');
  expect(new URL(playground.page.url()).search).toMatch(/^\?session=mock-\w{4}&users=alice,bob,carol$/);

  await playground.page.reload();
  for (const user of ['alice', 'bob', 'carol']) {
    await playground.card(user).waitForStatus('running');
    await playground.card(user).waitForText('The page was reloaded');
    await playground.card(user).expectOffsets(2, 2);
  }
});

test('a page that is opened before its session exists joins it later', async () => {
  const playground = await environment.open({ session: 'later', users: ['alice', 'dave'] });
  const [alice, dave] = [playground.card('alice'), playground.card('dave')];
  await alice.waitForText(/session_not_found/);
  await playground.button('Create it').click();
  await alice.waitForStatus('scheduled');
  await dave.waitForStatus('scheduled');

  await environment.backend.publish('others', 'running', PARTICIPANTS);
  const eve = (await environment.open({ session: 'others', users: ['eve'] })).card('eve');
  await eve.waitForText(/not_a_participant/);
  await environment.backend.selectRole('others', 'eve', 'observer');
  await eve.waitForStatus('running');
});

test('each call has a command, and an error has details', async () => {
  await environment.backend.publish('calls', 'scheduled', PARTICIPANTS);
  const playground = await environment.open({ session: 'calls', users: ['alice'] });
  await playground.card('alice').waitForStatus('scheduled');
  await playground.page.getByRole('radio', { name: 'Select role' }).check();
  await playground.page.getByLabel('User').fill("o'brien");
  await playground.button('Call SelectRole').click();
  await playground.page.getByText("“o'brien” is not a valid id").waitFor();
  await playground.page.getByLabel('User').fill('bob');
  await playground.page.getByLabel('Role', { exact: true }).selectOption('ROLE_INTERVIEWER');
  const form = playground.page.getByRole('form', { name: 'SelectRole' });
  expect(await form.locator('.command code').textContent()).toBe(
    `grpcurl -plaintext -d '{"sessionId":"calls","userId":"bob","role":"ROLE_INTERVIEWER"}' ` +
      `${environment.dev.address('grpc')} roomcast.v1.SessionService/SelectRole`,
  );
  await playground.button('Call SelectRole').click();
  await form.getByText('FAILED_PRECONDITION').waitFor();
  await form.getByText('ROLE_TAKEN').waitFor();
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
