// Checked by `tsc` alone: what is wrong here does not compile, and what has to be refused is expected to be.

import { io, type Socket } from 'socket.io-client';
import { expectTypeOf } from 'vitest';

import {
  createRoomcast,
  type ClientToServerEvents,
  type ConnectionState,
  type JoinAnswer,
  type RoomcastSocket,
  type Role,
  type ServerToClientEvents,
  type Session,
  type SessionState,
} from '../../src/index.js';

// The stock client with our events.
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
  // @ts-expect-error not there where none was created
  newFeedback.text;
});
// @ts-expect-error no such event
socket.on('session-update', () => undefined);
// @ts-expect-error no such field
socket.on('role-selected', ({ user }) => user);

socket.emit('join-session', 's1');
socket.emit('join-session', 's1', { after: '1;s1,0,1' });
socket.emit('join-session', 's1', (answer) => expectTypeOf(answer).toEqualTypeOf<JoinAnswer>());
socket.emit('join-session', 's1', {}, (answer) => {
  if (answer.ok) expectTypeOf(answer.session).toEqualTypeOf<Session>();
  else expectTypeOf(answer.error.code).toExtend<string>();
  // @ts-expect-error only where it is ok
  answer.role;
});
socket.timeout(1).emit('leave-session', 's1', (error, answer) => {
  expectTypeOf(error).toEqualTypeOf<Error>();
  expectTypeOf(answer.ok).toBeBoolean();
});
// @ts-expect-error no such event
socket.emit('join', 's1');
// @ts-expect-error an id is a string
socket.emit('join-session', 1);
// @ts-expect-error no such option
socket.emit('join-session', 's1', { since: 'x' });

// Ours.
const roomcast = createRoomcast({ token: 'x' });
roomcast.on('session-reset', ({ position }) => expectTypeOf(position).toBeString());
expectTypeOf(roomcast.on('session-error', () => undefined)).toEqualTypeOf<() => void>();
roomcast.emit('join-session', 's1', { after: 'x' });
// @ts-expect-error no such event
roomcast.on('session-deleted', () => undefined);
// @ts-expect-error no such event
roomcast.emit('session-updated', {});
// @ts-expect-error a token is a string
createRoomcast({ getToken: () => 7 });

// Unions that tell what there is.
declare const state: SessionState;
// @ts-expect-error only where it was denied
state.error;
if (state.status === 'denied') expectTypeOf(state.error.message).toBeString();
if (state.status === 'revoked') expectTypeOf(state.reason).toBeString();
expectTypeOf(state.role).toEqualTypeOf<Role | undefined>();
declare const connection: ConnectionState;
if (connection.status === 'connected') expectTypeOf(connection.recovered).toBeBoolean();
if (connection.status === 'refused' && connection.code === 'token_expired')
  expectTypeOf(connection.message).toBeString();
// @ts-expect-error a snapshot does not change
connection.status = 'idle';

// Attributes of one's own.
interface Interview {
  topic: string;
}
declare const interview: Session<Interview>;
expectTypeOf(interview.topic).toBeString();
expectTypeOf(interview.participants[0]?.role).toEqualTypeOf<Role | undefined>();
