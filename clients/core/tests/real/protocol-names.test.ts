import { Backend, devToken, RoomcastProcess } from '@roomcast/testing';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  clientToServerEvents,
  connectErrorCodes,
  errorCodes,
  serverToClientEvents,
  type JoinResponse,
  type RoomcastSocket,
} from '../../src/index.js';
import { until } from './page.js';

// `npm run generate -- --check` compares the generated names with the proto. These tests compare them with the binary.

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

/** Sends an event of any name, and returns its acknowledgement. */
async function request(
  socket: RoomcastSocket,
  event: string,
  ...args: unknown[]
): Promise<{ error?: { code: string; message: string } }> {
  const emit = socket.timeout(10_000).emitWithAck.bind(socket) as (...args: unknown[]) => Promise<object>;
  return emit(event, ...args);
}

test('the edge accepts exactly the generated client events', async () => {
  const socket = open(devToken('alice'));
  // The message for an unknown event lists the known ones.
  const listsEveryEvent = (message = '') => clientToServerEvents.every((event) => message.includes(event));
  for (const event of clientToServerEvents) {
    const { error } = await request(socket, event);
    expect(error?.code).toBe('bad_request');
    expect(listsEveryEvent(error?.message)).toBe(false);
  }
  const { error } = await request(socket, 'custom-event');
  expect(error?.code).toBe('bad_request');
  expect(listsEveryEvent(error?.message)).toBe(true);
});

test('the edge sends exactly the generated server events', async () => {
  await backend.publish('all', 'n0', { alice: 'observer', bob: 'observer' });
  const socket = open(devToken('alice'));
  const received = new Set<string>();
  socket.onAny((event: string) => received.add(event));
  const { position } = (await socket.timeout(10_000).emitWithAck('join-session', 'all')) as JoinResponse & {
    ok: true;
  };
  expect(position).toMatch(/^1;all,/);
  socket.emit('join-session', 'nowhere');
  await backend.publish('all', 'n1');
  await backend.selectRole('all', 'bob', 'interviewer');
  await backend.requireFeedback('all', ['alice']);
  await backend.updateFeedback('all', 'f1');
  await until(
    () => received.size === 6,
    () => [...received],
  );
  await backend.remove('all', 'alice');
  await until(
    () => received.size === 7,
    () => [...received],
  );
  // `session-reset` requires a lost log: resume.test.ts and the store's tests cover it.
  expect([...received, 'session-reset'].sort()).toEqual([...serverToClientEvents].sort());
});

test('the edge sends exactly the generated error codes', async () => {
  const codes = new Set<string>();
  const record = async (response: Promise<{ error?: { code: string } }>) => {
    const { error } = await response;
    if (error !== undefined) codes.add(error.code);
  };
  await backend.publish('codes', 'n0', { bob: 'observer' });
  const socket = open(devToken('alice'));
  await record(request(socket, 'join-session', 'nowhere'));
  await record(request(socket, 'join-session', 'codes'));
  await record(request(socket, 'join-session', 7));
  await record(request(socket, 'refresh-token', ''));
  await record(request(socket, 'refresh-token', 'x'));
  await record(request(socket, 'refresh-token', devToken('alice', -60)));
  for (let n = 0; n < 40; n++) await record(request(socket, 'leave-session', 'codes'));
  const other = open(devToken('carol'));
  for (let n = 0; n < 33; n++) {
    await backend.publish(`many${n}`, 'n0', { carol: 'observer' });
    await record(request(other, 'join-session', `many${n}`));
  }
  // `unavailable` requires an unreachable store: the end-to-end tests cover it.
  expect([...codes, 'unavailable'].sort()).toEqual([...errorCodes].sort());
});

test('the edge denies connections with exactly the generated codes', async () => {
  const denied = (token: string) =>
    new Promise((resolve) => open(token).on('connect_error', ({ message }) => resolve(message)));
  const codes = [await denied(''), await denied('x'), await denied(devToken('alice', -60))];
  expect(codes).toEqual([...connectErrorCodes]);
});
