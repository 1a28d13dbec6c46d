// Checked by `tsc` only. Each `@ts-expect-error` must be an error.

import { io, type Socket } from 'socket.io-client';
import { expectTypeOf } from 'vitest';

import {
  createRoomcast,
  parseCursor,
  type ClientToServerEvents,
  type ConnectionState,
  type JoinResponse,
  type RoomcastSocket,
  type Role,
  type ServerToClientEvents,
  type Session,
  type SessionCursor,
  type SessionState,
} from '../../src/index.js';

// socket.io-client with Roomcast's events.
const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io();
expectTypeOf(socket).toEqualTypeOf<RoomcastSocket>();
socket.on('session-updated', ({ sessionId, session }, cursor) => {
  expectTypeOf(sessionId).toBeString();
  expectTypeOf(session.status).toBeString();
  expectTypeOf(session['topic']).toBeUnknown();
  expectTypeOf(cursor).toBeString();
});
socket.on('role-selected', ({ role }) =>
  expectTypeOf(role).toEqualTypeOf<'interviewer' | 'interviewee' | 'observer'>(),
);
socket.on('feedback-updated', ({ newFeedback }) => {
  // @ts-expect-error unset if no feedback was created
  newFeedback.text;
});
// @ts-expect-error no such event
socket.on('session-update', () => undefined);
// @ts-expect-error no such field
socket.on('role-selected', ({ user }) => user);

socket.emit('join-session', 's1');
socket.emit('join-session', 's1', { after: '1;s1,0,1' });
socket.emit('join-session', 's1', (response) => expectTypeOf(response).toEqualTypeOf<JoinResponse>());
socket.emit('join-session', 's1', {}, (response) => {
  if (response.ok) expectTypeOf(response.session).toEqualTypeOf<Session>();
  else expectTypeOf(response.error.code).toExtend<string>();
  // @ts-expect-error only if `ok` is true
  response.role;
});
socket.timeout(1).emit('leave-session', 's1', (error, response) => {
  expectTypeOf(error).toEqualTypeOf<Error>();
  expectTypeOf(response.ok).toBeBoolean();
});
// @ts-expect-error no such event
socket.emit('join', 's1');
// @ts-expect-error an id is a string
socket.emit('join-session', 1);
// @ts-expect-error no such option
socket.emit('join-session', 's1', { since: 'x' });

// The Roomcast client.
const roomcast = createRoomcast({ token: 'x' });
roomcast.on('session-reset', ({ position }) => expectTypeOf(position).toBeString());
expectTypeOf(roomcast.on('session-error', () => undefined)).toEqualTypeOf<() => void>();
roomcast.emit('join-session', 's1', { after: 'x' });
expectTypeOf(roomcast.subscribe(() => undefined)).toEqualTypeOf<() => void>();
expectTypeOf(roomcast.getSnapshot()).toEqualTypeOf<ConnectionState>();
expectTypeOf(roomcast.session('s1').getSnapshot()).toEqualTypeOf<SessionState>();
expectTypeOf(parseCursor('1', 's1')).toEqualTypeOf<SessionCursor | undefined>();
// @ts-expect-error no such event
roomcast.on('session-deleted', () => undefined);
// @ts-expect-error no such event
roomcast.emit('session-updated', {});
// @ts-expect-error a token is a string
createRoomcast({ getToken: () => 7 });

// Unions that `status` distinguishes.
declare const state: SessionState;
// @ts-expect-error only if the status is 'denied'
state.error;
if (state.status === 'denied') expectTypeOf(state.error.message).toBeString();
if (state.status === 'revoked') expectTypeOf(state.reason).toBeString();
expectTypeOf(state.role).toEqualTypeOf<Role | undefined>();
declare const connection: ConnectionState;
if (connection.status === 'connected') expectTypeOf(connection.recovered).toBeBoolean();
if (connection.status === 'denied' && connection.code === 'token_expired')
  expectTypeOf(connection.message).toBeString();
// @ts-expect-error a snapshot is immutable
connection.status = 'idle';

// Attributes of the application.
interface Interview {
  topic: string;
}
declare const interview: Session<Interview>;
expectTypeOf(interview.topic).toBeString();
expectTypeOf(interview.participants[0]?.role).toEqualTypeOf<Role | undefined>();
