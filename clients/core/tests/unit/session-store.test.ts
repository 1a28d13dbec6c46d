import { beforeEach, expect, test, vi } from 'vitest';

import type { JoinResponse, Participant } from '../../src/index.js';
import type { ServerEvent } from '../../src/server-event.js';
import { parseCursor } from '../../src/session-cursor.js';
import { SessionStore } from '../../src/session-store.js';

type Joined = Extract<JoinResponse, { ok: true }>;

let store: SessionStore;
beforeEach(() => void (store = new SessionStore(() => 'alice')));

const alice: Participant = { userId: 'alice', role: 'observer' };
const at = (offset: number, epoch = 'e1') => parseCursor(`1;s,${epoch},${offset}`, 's');

function session(status: string, participants = [alice]) {
  return { id: 's', status, participants };
}

/** Applies a successful join at an offset. */
function join(status: string, offset: number, recovered = false, isReset = false): void {
  const response: Joined = {
    ok: true,
    sessionId: 's',
    role: 'observer',
    position: `1;s,e1,${offset}`,
    recovered,
    session: session(status),
  };
  store.joined(response, at(offset) ?? { text: '', position: undefined }, { isAhead: recovered, isReset });
}

const updated = (status: string): ServerEvent => ({
  name: 'session-updated',
  payload: { sessionId: 's', session: session(status) },
});
const selected = (userId: string): ServerEvent => ({
  name: 'role-selected',
  payload: { sessionId: 's', userId, role: 'interviewer' },
});

test('an event at or before the current position is ignored', () => {
  join('n1', 1);
  expect(store.apply(updated('n2'), at(2))).toBe(true);
  expect(store.apply(updated('n2'), at(2))).toBe(false);
  expect(store.apply(updated('n1'), at(1))).toBe(false);
  expect(store.getSnapshot()).toMatchObject({ session: { status: 'n2' }, position: '1;s,e1,2' });
});

test('during a replay the session does not go back in time', () => {
  store.startAt(at(1) ?? { text: '', position: undefined });
  join('n9', 1, true);
  expect(store.apply(updated('n2'), at(2))).toBe(true);
  expect(store.apply(selected('bob'), at(3))).toBe(true);
  expect(store.getSnapshot()).toMatchObject({
    session: { status: 'n9' },
    participants: [alice],
    position: '1;s,e1,3',
  });
  join('n9', 9);
  store.apply(updated('n10'), at(10));
  expect(store.getSnapshot()).toMatchObject({ session: { status: 'n10' }, position: '1;s,e1,10' });
});

test('a reset replaces the session and the position, and is counted', () => {
  join('n9', 9);
  const reset = (position: string): ServerEvent => ({
    name: 'session-reset',
    payload: { sessionId: 's', session: session('n5'), position },
  });
  expect(store.apply(reset('1;s,e1,5'), at(5))).toBe(true);
  expect(store.getSnapshot()).toMatchObject({ session: { status: 'n5' }, resets: 1, position: '1;s,e1,5' });
  expect(store.apply(updated('m6'), at(6))).toBe(true);
  expect(store.apply(updated('x1'), at(1, 'e2'))).toBe(true);
  join('n1', 1, false, true);
  expect(store.getSnapshot()).toMatchObject({ resets: 2, position: '1;s,e1,1' });
});

test('a join that could not continue starts at its own position, even an earlier one', () => {
  join('n9', 9);
  join('n5', 5, false, true);
  expect(store.getSnapshot()).toMatchObject({ resets: 1, position: '1;s,e1,5' });
  expect(store.apply(updated('m6'), at(6))).toBe(true);
});

test('a snapshot is a new object only if something changed', () => {
  const listener = vi.fn();
  const unsubscribe = store.subscribe(listener);
  const before = store.getSnapshot();
  store.settleFeedback();
  expect([store.getSnapshot() === before, listener.mock.calls.length]).toEqual([true, 0]);
  join('n1', 1);
  const joined = store.getSnapshot();
  expect([joined === before, listener.mock.calls.length]).toEqual([false, 1]);
  store.apply({ name: 'feedback-required', payload: { sessionId: 's' } }, at(1));
  store.apply({ name: 'feedback-required', payload: { sessionId: 's' } }, at(1));
  expect([store.getSnapshot().pendingFeedback, joined.pendingFeedback, listener.mock.calls.length]).toEqual([
    true,
    false,
    2,
  ]);
  unsubscribe();
  store.settleFeedback();
  expect(listener).toHaveBeenCalledTimes(2);
});

test('feedback updates are merged, and feedback by this user settles the pending feedback', () => {
  const feedback = (updates: object, newFeedback?: object): ServerEvent => ({
    name: 'feedback-updated',
    payload: {
      sessionId: 's',
      feedbackId: 'f',
      updates: { ...updates },
      ...(newFeedback && { newFeedback: { ...newFeedback } }),
      timestamp: 't',
    },
  });
  store.apply({ name: 'feedback-required', payload: { sessionId: 's' } }, undefined);
  store.apply(feedback({ a: 1, authorId: 'bob' }, { text: 'x' }), at(1));
  expect(store.getSnapshot().pendingFeedback).toBe(true);
  store.apply(feedback({ b: 2, authorId: 'alice' }), at(2));
  expect(store.getSnapshot().pendingFeedback).toBe(false);
  const entry = { updates: { a: 1, b: 2, authorId: 'alice' }, newFeedback: { text: 'x' }, timestamp: 't' };
  expect(store.getSnapshot().feedback).toEqual({ f: entry });
});

test('the role comes from the participants, or from the edge if the token contains no readable user', () => {
  join('n1', 1);
  store.apply(selected('alice'), at(2));
  expect(store.getSnapshot().role).toBe('interviewer');
  store = new SessionStore(() => undefined);
  join('n1', 1);
  expect(store.getSnapshot().role).toBe('observer');
  store.apply(updated('n2'), at(2));
  expect(store.getSnapshot().role).toBe('observer');
});
