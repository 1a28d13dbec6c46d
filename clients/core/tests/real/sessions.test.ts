import { backend, dev } from '@roomcast/testing/dev';
import { expect, onTestFinished, test, vi } from 'vitest';

import { Page, Tab } from './page.js';

const both = { alice: 'interviewer', bob: 'interviewee' };

test('a session is what its backend said, and what was said since', async () => {
  await backend.publish('facts', 'scheduled', both, { topic: 'Rust' });
  const page = await Page.open(dev, 'alice');
  await page.join('facts');
  expect(page.session('facts')).toMatchObject({
    status: 'joined',
    role: 'interviewer',
    session: { id: 'facts', status: 'scheduled', topic: 'Rust' },
    participants: [
      { userId: 'alice', role: 'interviewer' },
      { userId: 'bob', role: 'interviewee' },
    ],
    resets: 0,
  });
  await backend.publish('facts', 'running');
  await backend.selectRole('facts', 'alice', 'observer');
  await backend.selectRole('facts', 'carol', 'interviewer');
  await page.until(() => page.names().filter((name) => name === 'role-selected').length === 2);
  expect(page.session('facts')).toMatchObject({
    role: 'observer',
    session: { status: 'running' },
    participants: [
      { userId: 'alice', role: 'observer' },
      { userId: 'bob', role: 'interviewee' },
      { userId: 'carol', role: 'interviewer' },
    ],
  });
  expect(page.names()).toEqual(['session-joined', 'session-updated', 'role-selected', 'role-selected']);
});

test('what the page knows is what the backend knows', async () => {
  await backend.publish('agree', 'one', both, { deep: { list: [1, null, 'x', { y: true }] } });
  const page = await Page.open(dev, 'alice');
  await page.join('agree');
  await backend.selectRole('agree', 'bob', 'observer');
  await page.until(() => page.names().includes('role-selected'));
  const other = await Page.open(dev, 'bob');
  await other.join('agree');
  expect(page.session('agree').session).toEqual(other.session('agree').session);
});

test('a session is joined by its first hold and left by the last one', async () => {
  await backend.publish('counted', 'one', both);
  const page = await Page.open(dev, 'alice');
  const sent: unknown[] = [];
  page.roomcast.socket.onAnyOutgoing((event, id) => sent.push([event, id]));
  const first = await page.join('counted');
  const second = page.roomcast.join('counted');
  first();
  first();
  await backend.publish('counted', 'two');
  await page.until(() => page.statuses.includes('two'));
  second();
  // Given back and taken again at once, as React's StrictMode does: nobody is told.
  const third = page.roomcast.join('counted');
  await Promise.resolve();
  expect(sent).toEqual([['join-session', 'counted']]);
  third();
  await page.until(() => page.session('counted').status === 'idle');
  expect(sent).toEqual([
    ['join-session', 'counted'],
    ['leave-session', 'counted'],
  ]);
  expect(page.session('counted')).toMatchObject({
    session: undefined,
    position: undefined,
    participants: [],
  });
  await backend.publish('counted', 'three');
  await page.join('counted');
  expect(page.statuses).toEqual(['two']);
  expect(page.session('counted').session?.status).toBe('three');
});

test('who leaves while the join is under way is out', async () => {
  await backend.publish('hasty', 'one', both);
  const page = await Page.open(dev, 'alice');
  page.roomcast.join('hasty')();
  await page.until(() => page.session('hasty').status === 'idle');
  await backend.publish('hasty', 'two');
  const leave = page.roomcast.join('hasty');
  leave();
  const again = page.roomcast.join('hasty');
  await page.until(() => page.session('hasty').status === 'joined');
  again();
  await page.join('hasty');
  await backend.publish('hasty', 'three');
  await page.until(() => page.statuses.includes('three'));
  expect(page.statuses).toEqual(['three']);
});

test('who left may join by the raw socket all the same', async () => {
  await backend.publish('raw', 'one', both);
  const page = await Page.open(dev, 'alice');
  const leave = await page.join('raw');
  leave();
  await page.until(() => page.session('raw').status === 'idle');
  await page.roomcast.socket.emitWithAck('join-session', 'raw');
  await backend.publish('raw', 'two');
  await page.until(() => page.statuses.includes('two'));
});

test('a denial is final, and another hold asks again', async () => {
  const page = await Page.open(dev, 'alice');
  page.roomcast.join('nowhere');
  await page.until(() => page.session('nowhere').status === 'denied');
  expect(page.session('nowhere')).toMatchObject({ error: { code: 'session_not_found' } });
  await backend.publish('nowhere', 'there', { bob: 'observer' });
  page.roomcast.join('nowhere');
  await page.until(() => page.session('nowhere').status === 'denied');
  expect(page.session('nowhere')).toMatchObject({ error: { code: 'not_a_participant' } });
  await backend.selectRole('nowhere', 'alice', 'observer');
  await page.join('nowhere');
  expect(page.session('nowhere')).not.toHaveProperty('error');
  page.roomcast.join('no id');
  await page.until(() => page.session('no id').status === 'denied');
  expect(page.session('no id')).toMatchObject({ error: { code: 'bad_request' } });
});

test('who is removed is told, and forgets the position', async () => {
  const tab = new Tab();
  await backend.publish('removed', 'one', both);
  const page = await Page.open(dev, 'alice', { storage: tab });
  await page.join('removed');
  await page.until(() => tab.kept.size === 1);
  expect([...tab.kept.keys()]).toEqual(['roomcast:alice:removed']);
  await backend.remove('removed', 'alice');
  await page.until(() => page.session('removed').status === 'revoked');
  expect(page.session('removed')).toMatchObject({
    reason: 'removed',
    role: undefined,
    position: undefined,
  });
  expect(tab.kept.size).toBe(0);
  expect(page.names().at(-1)).toBe('session-revoked');
});

test('feedback is due until this user gives it', async () => {
  await backend.publish('due', 'over', both);
  const [page, other] = [await Page.open(dev, 'alice'), await Page.open(dev, 'bob')];
  await page.join('due');
  await other.join('due');
  expect(page.session('due').feedbackDue).toBe(false);
  await backend.requireFeedback('due');
  await page.until(() => page.session('due').feedbackDue);
  await other.until(() => other.session('due').feedbackDue);
  await backend.updateFeedback('due', 'f1', { score: 3, authorId: 'bob' }, { authorId: 'bob' });
  await other.until(() => !other.session('due').feedbackDue);
  await backend.updateFeedback(
    'due',
    'f2',
    {},
    { authorId: 'alice', newFeedback: { authorId: 'alice', text: 'good' } },
  );
  await page.until(() => !page.session('due').feedbackDue);
  await backend.updateFeedback('due', 'f2', { text: 'very good' });
  await page.until(() => page.session('due').feedback['f2']?.updates['text'] === 'very good');
  expect(page.session('due').feedback).toMatchObject({
    f1: { updates: { score: 3 }, newFeedback: undefined },
    f2: { newFeedback: { authorId: 'alice', text: 'good' } },
  });
});

test('what is owed stays so for who leaves and comes again', async () => {
  await backend.publish('stays', 'over', both);
  const page = await Page.open(dev, 'alice');
  const leave = await page.join('stays');
  await backend.requireFeedback('stays', ['alice']);
  await page.until(() => page.session('stays').feedbackDue);
  leave();
  await page.until(() => page.session('stays').status === 'idle');
  await page.join('stays');
  expect(page.session('stays').feedbackDue).toBe(true);
  page.roomcast.session('stays').settleFeedback();
  expect(page.session('stays').feedbackDue).toBe(false);
});

test('a new connection reminds of what is owed, and of nothing else', async () => {
  await backend.publish('owed', 'over', both);
  const page = await Page.open(dev, 'alice');
  await page.join('owed');
  await backend.requireFeedback('owed', ['alice']);
  await page.until(() => page.session('owed').feedbackDue);
  const due: boolean[] = [];
  page.roomcast.session('owed').onState(() => due.push(page.session('owed').feedbackDue));
  await page.breakConnection();
  await page.until(() => page.names().filter((name) => name === 'feedback-required').length === 2);
  expect(due).not.toContain(false);
  await page.breakConnection();
  // Given without the page being told by whom.
  await backend.updateFeedback('owed', 'f1', {}, { authorId: 'alice' });
  await page.until(() => !page.session('owed').feedbackDue);
});

test('what handlers throw stops neither others nor the page', async () => {
  await backend.publish('thrown', 'one', both);
  const page = await Page.open(dev, 'alice');
  await page.join('thrown');
  const uncaught: unknown[] = [];
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => uncaught.push(error));
  const called: string[] = [];
  const off = page.roomcast.on('session-updated', () => {
    throw new Error('of the page');
  });
  page.roomcast.on('session-updated', ({ session }) => called.push(session.status));
  await backend.publish('thrown', 'two');
  await page.until(() => called.length === 1 && uncaught.length === 1);
  for (const listener of before) process.on('uncaughtException', listener);
  expect(uncaught).toMatchObject([{ message: 'of the page' }]);
  off();
});

test('two pages of one user keep their own positions', async () => {
  const tab = new Tab();
  await backend.publish('twice', 'one', both);
  const [page, other] = [
    await Page.open(dev, 'alice', { storage: tab }),
    await Page.open(dev, 'alice', { storage: tab }),
  ];
  await page.join('twice');
  const leave = await other.join('twice');
  await page.until(() => tab.kept.size === 2);
  leave();
  await other.until(() => other.session('twice').status === 'idle');
  expect([...tab.kept.keys()]).toEqual(['roomcast:alice:twice']);
});

test('a storage that throws costs nothing but the reload', async () => {
  const broken = () => {
    throw new DOMException('denied', 'SecurityError');
  };
  await backend.publish('private', 'one', both);
  const page = await Page.open(dev, 'alice', {
    storage: { getItem: broken, setItem: broken, removeItem: broken },
  });
  await page.join('private');
  await backend.publish('private', 'two');
  await page.until(() => page.session('private').session?.status === 'two');
});

test('what waits to be written is written when the page is hidden, and nobody listens to that after close', async () => {
  const tab = new Tab();
  const hidden = new Set<() => void>();
  vi.stubGlobal(
    'addEventListener',
    (event: string, then: () => void) => event === 'pagehide' && hidden.add(then),
  );
  vi.stubGlobal('removeEventListener', (_: string, then: () => void) => hidden.delete(then));
  onTestFinished(() => void vi.unstubAllGlobals());
  await backend.publish('hidden', 'one', both);
  const page = await Page.open(dev, 'alice', { storage: tab });
  const key = 'roomcast:alice:hidden';
  const kept: unknown[] = [];
  page.roomcast.on('session-updated', () => {
    kept.push(tab.getItem(key) === page.session('hidden').position);
    for (const then of hidden) then();
    kept.push(tab.getItem(key) === page.session('hidden').position);
  });
  await page.join('hidden');
  await backend.publish('hidden', 'two');
  await page.until(() => kept.length === 2);
  expect(kept).toEqual([false, true]);
  page.roomcast.close();
  expect(hidden.size).toBe(0);
});
