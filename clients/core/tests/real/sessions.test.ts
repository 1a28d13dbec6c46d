import { backend, dev } from '@roomcast/testing/dev';
import { expect, onTestFinished, test, vi } from 'vitest';

import { Page, TabStorage } from './page.js';

const participants = { alice: 'interviewer', bob: 'interviewee' };

test('a session contains the published data and all later changes', async () => {
  await backend.publish('facts', 'scheduled', participants, { topic: 'Rust' });
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

test('pages of different users have the same session', async () => {
  await backend.publish('agree', 'one', participants, { deep: { list: [1, null, 'x', { y: true }] } });
  const page = await Page.open(dev, 'alice');
  await page.join('agree');
  await backend.selectRole('agree', 'bob', 'observer');
  await page.until(() => page.names().includes('role-selected'));
  const other = await Page.open(dev, 'bob');
  await other.join('agree');
  expect(page.session('agree').session).toEqual(other.session('agree').session);
});

test('a session is joined by its first hold and left by the last one', async () => {
  await backend.publish('counted', 'one', participants);
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
  // A release and a new hold in one task, as in React's StrictMode, send no event.
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

test('a session that is left during its join is not joined', async () => {
  await backend.publish('hasty', 'one', participants);
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

test('a session that was left can be joined through the raw socket', async () => {
  await backend.publish('raw', 'one', participants);
  const page = await Page.open(dev, 'alice');
  const leave = await page.join('raw');
  leave();
  await page.until(() => page.session('raw').status === 'idle');
  await page.roomcast.socket.emitWithAck('join-session', 'raw');
  await backend.publish('raw', 'two');
  await page.until(() => page.statuses.includes('two'));
});

test('a denial is final, and another hold sends a new request', async () => {
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

test('a removal is reported and removes the saved position', async () => {
  const tab = new TabStorage();
  await backend.publish('removed', 'one', participants);
  const page = await Page.open(dev, 'alice', { storage: tab });
  await page.join('removed');
  await page.until(() => tab.items.size === 1);
  expect([...tab.items.keys()]).toEqual(['roomcast:alice:removed']);
  await backend.remove('removed', 'alice');
  await page.until(() => page.session('removed').status === 'revoked');
  expect(page.session('removed')).toMatchObject({
    reason: 'removed',
    role: undefined,
    position: undefined,
  });
  expect(tab.items.size).toBe(0);
  expect(page.names().at(-1)).toBe('session-revoked');
});

test('feedback is pending until this user submits it', async () => {
  await backend.publish('pending', 'over', participants);
  const [page, other] = [await Page.open(dev, 'alice'), await Page.open(dev, 'bob')];
  await page.join('pending');
  await other.join('pending');
  expect(page.session('pending').pendingFeedback).toBe(false);
  await backend.requireFeedback('pending');
  await page.until(() => page.session('pending').pendingFeedback);
  await other.until(() => other.session('pending').pendingFeedback);
  await backend.updateFeedback('pending', 'f1', { score: 3, authorId: 'bob' }, { authorId: 'bob' });
  await other.until(() => !other.session('pending').pendingFeedback);
  await backend.updateFeedback(
    'pending',
    'f2',
    {},
    { authorId: 'alice', newFeedback: { authorId: 'alice', text: 'good' } },
  );
  await page.until(() => !page.session('pending').pendingFeedback);
  await backend.updateFeedback('pending', 'f2', { text: 'very good' });
  await page.until(() => page.session('pending').feedback['f2']?.updates['text'] === 'very good');
  expect(page.session('pending').feedback).toMatchObject({
    f1: { updates: { score: 3 }, newFeedback: undefined },
    f2: { newFeedback: { authorId: 'alice', text: 'good' } },
  });
});

test('feedback stays pending after leaving and joining again', async () => {
  await backend.publish('stays', 'over', participants);
  const page = await Page.open(dev, 'alice');
  const leave = await page.join('stays');
  await backend.requireFeedback('stays', ['alice']);
  await page.until(() => page.session('stays').pendingFeedback);
  leave();
  await page.until(() => page.session('stays').status === 'idle');
  await page.join('stays');
  expect(page.session('stays').pendingFeedback).toBe(true);
  page.roomcast.session('stays').settleFeedback();
  expect(page.session('stays').pendingFeedback).toBe(false);
});

test('a new connection sends reminders for pending feedback only', async () => {
  await backend.publish('reminded', 'over', participants);
  const page = await Page.open(dev, 'alice');
  await page.join('reminded');
  await backend.requireFeedback('reminded', ['alice']);
  await page.until(() => page.session('reminded').pendingFeedback);
  const pending: boolean[] = [];
  page.roomcast.session('reminded').subscribe(() => pending.push(page.session('reminded').pendingFeedback));
  await page.breakConnection();
  await page.until(() => page.names().filter((name) => name === 'feedback-required').length === 2);
  expect(pending).not.toContain(false);
  await page.breakConnection();
  // The event does not contain the author.
  await backend.updateFeedback('reminded', 'f1', {}, { authorId: 'alice' });
  await page.until(() => !page.session('reminded').pendingFeedback);
});

test('an error in a handler stops neither other handlers nor the page', async () => {
  await backend.publish('thrown', 'one', participants);
  const page = await Page.open(dev, 'alice');
  await page.join('thrown');
  const uncaught: unknown[] = [];
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => uncaught.push(error));
  const called: string[] = [];
  const removeHandler = page.roomcast.on('session-updated', () => {
    throw new Error('error of the page');
  });
  page.roomcast.on('session-updated', ({ session }) => called.push(session.status));
  await backend.publish('thrown', 'two');
  await page.until(() => called.length === 1 && uncaught.length === 1);
  for (const listener of before) process.on('uncaughtException', listener);
  expect(uncaught).toMatchObject([{ message: 'error of the page' }]);
  removeHandler();
});

test('two pages of one user save their positions separately', async () => {
  const tab = new TabStorage();
  await backend.publish('twice', 'one', participants);
  const [page, other] = [
    await Page.open(dev, 'alice', { storage: tab }),
    await Page.open(dev, 'alice', { storage: tab }),
  ];
  await page.join('twice');
  const leave = await other.join('twice');
  await page.until(() => tab.items.size === 2);
  leave();
  await other.until(() => other.session('twice').status === 'idle');
  expect([...tab.items.keys()]).toEqual(['roomcast:alice:twice']);
});

test('a storage that throws does not prevent a join', async () => {
  const broken = () => {
    throw new DOMException('denied', 'SecurityError');
  };
  await backend.publish('private', 'one', participants);
  const page = await Page.open(dev, 'alice', {
    storage: { getItem: broken, setItem: broken, removeItem: broken },
  });
  await page.join('private');
  await backend.publish('private', 'two');
  await page.until(() => page.session('private').session?.status === 'two');
});

test('positions are written when the page is hidden, and the listener is removed by close', async () => {
  const tab = new TabStorage();
  const pagehideListeners = new Set<() => void>();
  vi.stubGlobal(
    'addEventListener',
    (event: string, listener: () => void) => event === 'pagehide' && pagehideListeners.add(listener),
  );
  vi.stubGlobal('removeEventListener', (_: string, listener: () => void) =>
    pagehideListeners.delete(listener),
  );
  onTestFinished(() => void vi.unstubAllGlobals());
  await backend.publish('hidden', 'one', participants);
  const page = await Page.open(dev, 'alice', { storage: tab });
  const key = 'roomcast:alice:hidden';
  const isSaved: unknown[] = [];
  page.roomcast.on('session-updated', () => {
    isSaved.push(tab.getItem(key) === page.session('hidden').position);
    for (const listener of pagehideListeners) listener();
    isSaved.push(tab.getItem(key) === page.session('hidden').position);
  });
  await page.join('hidden');
  await backend.publish('hidden', 'two');
  await page.until(() => isSaved.length === 2);
  expect(isSaved).toEqual([false, true]);
  page.roomcast.close();
  expect(pagehideListeners.size).toBe(0);
});
