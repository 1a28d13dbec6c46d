import { Backend, devToken, RoomcastProcess } from '@roomcast/testing';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  clientToServerEvents,
  connectErrorCodes,
  errorCodes,
  serverToClientEvents,
  type JoinAnswer,
  type RoomcastSocket,
} from '../../src/index.js';
import { until } from './page.js';

// The generated names are those of the proto (`npm run generate -- --check`). Here they are those of the binary.

let dev: RoomcastProcess;
let backend: Backend;
const sockets: RoomcastSocket[] = [];

beforeAll(async () => {
  dev = await RoomcastProcess.dev(['--log-entries', '3', '--event-rate', '1', '--event-burst', '40']);
  backend = Backend.of(dev);
});

afterAll(async () => {
  for (const socket of sockets) socket.disconnect();
  backend.close();
  await dev.stop();
});

function open(token: string): RoomcastSocket {
  const socket: RoomcastSocket = io(dev.url, { auth: { token }, forceNew: true, reconnection: false });
  sockets.push(socket);
  return socket;
}

/** What an edge says to an event by acknowledgement, whatever its name. */
async function ask(
  socket: RoomcastSocket,
  event: string,
  ...args: unknown[]
): Promise<{ error?: { code: string; message: string } }> {
  const emit = socket.timeout(10_000).emitWithAck.bind(socket) as (...args: unknown[]) => Promise<object>;
  return emit(event, ...args);
}

test('the edge knows every event of ours, and no other', async () => {
  const socket = open(devToken('alice'));
  for (const event of clientToServerEvents) {
    const { error } = await ask(socket, event);
    expect(error?.code).toBe('bad_request');
    expect(error?.message).not.toMatch(/no such event/);
  }
  const { error } = await ask(socket, 'custom-event');
  expect(error?.message).toMatch(/no such event/);
  for (const event of clientToServerEvents) expect(error?.message).toContain(event);
});

test('the edge sends every event of ours, and no other', async () => {
  await backend.publish('all', 'n0', { alice: 'observer', bob: 'observer' });
  const socket = open(devToken('alice'));
  const seen = new Set<string>();
  socket.onAny((event: string) => seen.add(event));
  const { position } = (await socket.timeout(10_000).emitWithAck('join-session', 'all')) as JoinAnswer & {
    ok: true;
  };
  expect(position).toMatch(/^1;all,/);
  socket.emit('join-session', 'nowhere');
  await backend.publish('all', 'n1');
  await backend.selectRole('all', 'bob', 'interviewer');
  await backend.requireFeedback('all', ['alice']);
  await backend.updateFeedback('all', 'f1');
  await until(
    () => seen.size === 6,
    () => [...seen],
  );
  await backend.remove('all', 'alice');
  await until(
    () => seen.size === 7,
    () => [...seen],
  );
  // The only one that is left needs a log that is lost: resume.test.ts and the store's own tests have it.
  expect([...seen, 'session-reset'].sort()).toEqual([...serverToClientEvents].sort());
});

test('the edge answers with every code of ours', async () => {
  const codes = new Set<string>();
  const note = async (answer: Promise<{ error?: { code: string } }>) => {
    const { error } = await answer;
    if (error !== undefined) codes.add(error.code);
  };
  await backend.publish('codes', 'n0', { bob: 'observer' });
  const socket = open(devToken('alice'));
  await note(ask(socket, 'join-session', 'nowhere'));
  await note(ask(socket, 'join-session', 'codes'));
  await note(ask(socket, 'join-session', 7));
  await note(ask(socket, 'refresh-token', ''));
  await note(ask(socket, 'refresh-token', 'x'));
  await note(ask(socket, 'refresh-token', devToken('alice', -60)));
  for (let n = 0; n < 40; n++) await note(ask(socket, 'leave-session', 'codes'));
  const other = open(devToken('carol'));
  for (let n = 0; n < 33; n++) {
    await backend.publish(`many${n}`, 'n0', { carol: 'observer' });
    await note(ask(other, 'join-session', `many${n}`));
  }
  // The only one that is left needs a store that is out of reach: the end-to-end tests have it.
  expect([...codes, 'unavailable'].sort()).toEqual([...errorCodes].sort());
});

test('a connection is refused with every code of ours', async () => {
  const refused = (token: string) =>
    new Promise((resolve) => open(token).on('connect_error', ({ message }) => resolve(message)));
  const codes = [await refused(''), await refused('x'), await refused(devToken('alice', -60))];
  expect(codes).toEqual([...connectErrorCodes]);
});
