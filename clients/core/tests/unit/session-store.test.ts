import { beforeEach, expect, test, vi } from 'vitest';

import { positionIn } from '../../src/session-cursor.js';
import type { JoinAnswer, Participant } from '../../src/index.js';
import { SessionBook, type ServerEvent } from '../../src/session-store.js';

type Joined = Extract<JoinAnswer, { ok: true }>;

let book: SessionBook;
beforeEach(() => void (book = new SessionBook(() => 'alice')));

const alice: Participant = { userId: 'alice', role: 'observer' };
const at = (offset: number, epoch = 'e1') => positionIn(`1;s,${epoch},${offset}`, 's');

function session(status: string, participants = [alice]) {
  return { id: 's', status, participants };
}

/** A yes at a position. */
function join(status: string, offset: number, recovered = false, isReset = false): void {
  const answer: Joined = {
    ok: true,
    sessionId: 's',
    role: 'observer',
    position: `1;s,e1,${offset}`,
    recovered,
    session: session(status),
  };
  book.joined(answer, at(offset) ?? { text: '', place: undefined }, { isAhead: recovered, isReset });
}

const updated = (status: string): ServerEvent => ({
  name: 'session-updated',
  payload: { sessionId: 's', session: session(status) },
});
const selected = (userId: string): ServerEvent => ({
  name: 'role-selected',
  payload: { sessionId: 's', userId, role: 'interviewer' },
});

test('what a position covers is not taken twice', () => {
  join('n1', 1);
  expect(book.take(updated('n2'), at(2))).toBe(true);
  expect(book.take(updated('n2'), at(2))).toBe(false);
  expect(book.take(updated('n1'), at(1))).toBe(false);
  expect(book.state).toMatchObject({ session: { status: 'n2' }, position: '1;s,e1,2' });
});

test('while the session is ahead of what is told, it does not go back', () => {
  book.startAt(at(1) ?? { text: '', place: undefined });
  join('n9', 1, true);
  expect(book.take(updated('n2'), at(2))).toBe(true);
  expect(book.take(selected('bob'), at(3))).toBe(true);
  expect(book.state).toMatchObject({
    session: { status: 'n9' },
    participants: [alice],
    position: '1;s,e1,3',
  });
  join('n9', 9);
  book.take(updated('n10'), at(10));
  expect(book.state).toMatchObject({ session: { status: 'n10' }, position: '1;s,e1,10' });
});

test('a reset goes back to where it says, and counts', () => {
  join('n9', 9);
  const reset = (position: string): ServerEvent => ({
    name: 'session-reset',
    payload: { sessionId: 's', session: session('n5'), position },
  });
  expect(book.take(reset('1;s,e1,5'), at(5))).toBe(true);
  expect(book.state).toMatchObject({ session: { status: 'n5' }, resets: 1, position: '1;s,e1,5' });
  expect(book.take(updated('m6'), at(6))).toBe(true);
  expect(book.take(updated('x1'), at(1, 'e2'))).toBe(true);
  join('n1', 1, false, true);
  expect(book.state).toMatchObject({ resets: 2, position: '1;s,e1,1' });
});

test('an answer that could not go on where the page was begins where it says, even before that', () => {
  join('n9', 9);
  join('n5', 5, false, true);
  expect(book.state).toMatchObject({ resets: 1, position: '1;s,e1,5' });
  expect(book.take(updated('m6'), at(6))).toBe(true);
});

test('a snapshot changes when something does, and only then', () => {
  const told = vi.fn();
  const off = book.onState(told);
  const before = book.state;
  book.settleFeedback();
  expect([book.state === before, told.mock.calls.length]).toEqual([true, 0]);
  join('n1', 1);
  const joined = book.state;
  expect([joined === before, told.mock.calls.length]).toEqual([false, 1]);
  book.take({ name: 'feedback-required', payload: { sessionId: 's' } }, at(1));
  book.take({ name: 'feedback-required', payload: { sessionId: 's' } }, at(1));
  expect([book.state.feedbackDue, joined.feedbackDue, told.mock.calls.length]).toEqual([true, false, 2]);
  off();
  book.settleFeedback();
  expect(told).toHaveBeenCalledTimes(2);
});

test('feedback is merged, and this user settles it by being its author', () => {
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
  book.take({ name: 'feedback-required', payload: { sessionId: 's' } }, undefined);
  book.take(feedback({ a: 1, authorId: 'bob' }, { text: 'x' }), at(1));
  expect(book.state.feedbackDue).toBe(true);
  book.take(feedback({ b: 2, authorId: 'alice' }), at(2));
  expect(book.state.feedbackDue).toBe(false);
  const entry = { updates: { a: 1, b: 2, authorId: 'alice' }, newFeedback: { text: 'x' }, timestamp: 't' };
  expect(book.state.feedback).toEqual({ f: entry });
});

test('a role is that of the participants, or what the edge says where the user can not be read', () => {
  join('n1', 1);
  book.take(selected('alice'), at(2));
  expect(book.state.role).toBe('interviewer');
  book = new SessionBook(() => undefined);
  join('n1', 1);
  expect(book.state.role).toBe('observer');
  book.take(updated('n2'), at(2));
  expect(book.state.role).toBe('observer');
});
