// Checked by the compiler only (`npm run check`). Each `@ts-expect-error` must be an error.

import { useContext } from 'react';
import { expectTypeOf } from 'vitest';
import type { FeedbackUpdated, JoinResponse, Role, RoomcastSocket, Session } from '@roomcast/core';
import { SocketContext, SocketProvider, useSession, useSocket, type EventHandler } from '@roomcast/react';

export function Typed() {
  const { connected, emit, subscribe, unsubscribe, socket } = useSocket({
    sessionId: 's1',
    events: {
      'session-updated': (update, cursor) => {
        expectTypeOf(update.session).toEqualTypeOf<Session>();
        expectTypeOf(cursor).toEqualTypeOf<string>();
        // @ts-expect-error a session has no such payload
        void update.role;
      },
      'role-selected': ({ role }) => {
        expectTypeOf(role).toEqualTypeOf<Role>();
      },
      'feedback-updated': ({ newFeedback }) => {
        expectTypeOf(newFeedback).toEqualTypeOf<FeedbackUpdated['newFeedback']>();
      },
      'feedback-required': undefined,
    },
  });
  expectTypeOf(connected).toEqualTypeOf<boolean>();
  expectTypeOf(socket).toEqualTypeOf<RoomcastSocket | null>();

  // @ts-expect-error there is no such event
  useSocket({ events: { 'session-update': () => {} } });
  // @ts-expect-error the payload is an object
  useSocket({ events: { 'role-selected': (role: string) => role } });

  expectTypeOf(subscribe('role-selected', ({ userId }) => userId.length)).toEqualTypeOf<() => void>();
  expectTypeOf(subscribe('s1')).toEqualTypeOf<() => void>();
  // @ts-expect-error the payload has no feedbackId
  subscribe('role-selected', ({ feedbackId }) => feedbackId);
  // @ts-expect-error the server sends no such event
  subscribe('join-session', () => {});
  const handler: EventHandler<'session-reset'> = ({ position }) => position.length;
  subscribe('session-reset', handler);
  unsubscribe('session-reset', handler);
  unsubscribe('session-reset');
  unsubscribe('s1');
  // @ts-expect-error a handler of another event
  unsubscribe('role-selected', handler);

  emit('join-session', 's1', { after: '' }, (response) =>
    expectTypeOf(response).toEqualTypeOf<JoinResponse>(),
  );
  // @ts-expect-error the edge accepts no such event
  emit('custom-event', { data: 'value' });
  // @ts-expect-error a session's id is missing
  emit('leave-session');

  expectTypeOf(useContext(SocketContext)?.connected).toEqualTypeOf<boolean | undefined>();
  return null;
}

export function TypedSession() {
  const interview = useSession('s1');
  expectTypeOf(interview.role).toEqualTypeOf<Role | undefined>();
  expectTypeOf(interview.pendingFeedback).toEqualTypeOf<boolean>();
  // @ts-expect-error only the status 'denied' has an error
  void interview.error;
  if (interview.status === 'denied') expectTypeOf(interview.error.message).toEqualTypeOf<string>();
  if (interview.status === 'revoked') expectTypeOf(interview.reason).toEqualTypeOf<string>();
  if (interview.connection.status === 'denied') {
    expectTypeOf(interview.connection.message).toEqualTypeOf<string>();
  }
  return (
    <SocketProvider token={null} getToken={async () => 'token'} storage={null}>
      <SocketProvider getToken={() => 'token'} />
      {/* @ts-expect-error a token is a string */}
      <SocketProvider token={1} />
    </SocketProvider>
  );
}
