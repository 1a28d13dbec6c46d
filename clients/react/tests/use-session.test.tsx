import { useSession, useSocket, type SocketProviderProps } from '@roomcast/react';
import { devToken, RoomcastProcess, Backend } from '@roomcast/testing';
import { expect, test, vi } from 'vitest';

import { dev } from './dev.js';
import { renderInProvider } from './render-in-provider.js';

const until = (check: () => void) => vi.waitFor(check, 10_000);

function page(id: string | undefined, props: SocketProviderProps) {
  return renderInProvider(() => ({ ...useSession(id), socket: useSocket().socket }), props);
}

test('useSession follows a session from its join to the removal of the user', async () => {
  const { backend, url } = dev;
  await backend.publish(
    'story',
    'scheduled',
    { alice: 'interviewer', bob: 'interviewee' },
    { topic: 'Rust' },
  );
  const alice = page('story', { url, token: devToken('alice') });
  expect(alice.current).toMatchObject({ status: 'joining', session: undefined, participants: [] });
  const untilState = (facts: object) => until(() => expect(alice.current).toMatchObject(facts));

  await untilState({ status: 'joined', role: 'interviewer', pendingFeedback: false, resets: 0 });
  expect(alice.current).toMatchObject({
    session: { id: 'story', status: 'scheduled', topic: 'Rust' },
    participants: [
      { userId: 'alice', role: 'interviewer' },
      { userId: 'bob', role: 'interviewee' },
    ],
    connection: { status: 'connected' },
  });
  expect(alice.current.position).toEqual(expect.any(String));

  await backend.selectRole('story', 'carol', 'observer');
  await until(() => expect(alice.current.participants).toContainEqual({ userId: 'carol', role: 'observer' }));
  await backend.publish('story', 'running', { alice: 'observer', bob: 'interviewee', dave: 'interviewer' });
  await untilState({ session: { status: 'running' }, role: 'observer' });
  expect(alice.current.participants.map(({ userId }) => userId)).toEqual(['alice', 'bob', 'dave']);

  await backend.requireFeedback('story');
  await untilState({ pendingFeedback: true });
  await backend.updateFeedback('story', 'f1', { score: 4 }, { authorId: 'bob' });
  await untilState({ pendingFeedback: true, feedback: { f1: { updates: { score: 4 } } } });
  alice.current.settleFeedback();
  await untilState({ pendingFeedback: false });

  await backend.requireFeedback('story', ['alice']);
  await untilState({ pendingFeedback: true });
  await backend.updateFeedback('story', 'f2', { authorId: 'alice', score: 5 }, { authorId: 'alice' });
  await untilState({ pendingFeedback: false, feedback: { f1: {}, f2: { updates: { score: 5 } } } });

  await backend.remove('story', 'alice');
  await untilState({ status: 'revoked' });
  expect(alice.current).toHaveProperty('reason', expect.any(String));
});

test('a join is denied to other users, and for a session that does not exist', async () => {
  const { backend, url } = dev;
  await backend.publish('closed', 'running', { alice: 'interviewer' });
  for (const [id, code] of [
    ['closed', 'not_a_participant'],
    ['nowhere', 'session_not_found'],
  ] as const) {
    const mallory = page(id, { url, token: devToken('mallory') });
    await until(() => expect(mallory.current).toMatchObject({ status: 'denied', error: { code } }));
    expect(mallory.current.session).toBeUndefined();
  }
});

test('no session is joined without an id', async () => {
  const { backend, url } = dev;
  await backend.publish('late', 'running', { alice: 'interviewer' });
  let id: string | undefined;
  const alice = renderInProvider(() => useSession(id), { url, token: devToken('alice') });
  await until(() => expect(alice.current.connection.status).toBe('connected'));
  expect(alice.current).toMatchObject({ status: 'idle', session: undefined });
  id = 'late';
  alice.rerender();
  await until(() => expect(alice.current).toMatchObject({ status: 'joined', session: { id: 'late' } }));
  id = undefined;
  alice.rerender();
  expect(alice.current).toMatchObject({ status: 'idle', session: undefined });
});

test('events that were missed while disconnected are applied after the reconnection', async () => {
  const { backend, url } = dev;
  await backend.publish('gap', 'before', { alice: 'interviewer' });
  const alice = page('gap', { url, token: devToken('alice') });
  await until(() => expect(alice.current.status).toBe('joined'));
  alice.current.socket?.io.engine.close();
  await until(() => expect(alice.current.connection.status).toBe('reconnecting'));
  await backend.publish('gap', 'meanwhile');
  await until(() => expect(alice.current).toMatchObject({ session: { status: 'meanwhile' }, resets: 0 }));
});

test('a gap that cannot be closed is counted as a reset', async () => {
  const dev = await RoomcastProcess.dev(['--log-entries', '1']);
  const backend = Backend.of(dev);
  try {
    await backend.publish('short', 'before', { alice: 'interviewer' });
    const alice = page('short', { url: dev.url, token: devToken('alice') });
    await until(() => expect(alice.current.status).toBe('joined'));
    alice.current.socket?.io.engine.close();
    for (const status of ['one', 'two', 'three']) await backend.publish('short', status);
    await until(() =>
      expect(alice.current).toMatchObject({ status: 'joined', session: { status: 'three' }, resets: 1 }),
    );
    alice.unmount();
  } finally {
    backend.close();
    await dev.stop();
  }
});
