import { StrictMode } from 'react';
import { render, screen } from '@testing-library/react';
import { createRoomcast, type Roomcast } from '@roomcast/core';
import { SocketProvider, useSession, useSocket, type EventHandlers } from '@roomcast/react';
import { devToken } from '@roomcast/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { counted, type Counts } from './count-subscriptions.js';
import { dev } from './dev.js';
import { Joined } from './session-status.js';
import { provided } from './render-in-provider.js';

/** The page's own connection, with everything counted that hooks begin on it. */
let client: Roomcast;
let counts: Counts;
/** A session of each test's own, in which alice is. */
let id = '';
let tests = 0;

beforeEach(async () => {
  id = `s${++tests}`;
  await dev.backend.publish(id, 'running', { alice: 'interviewer', bob: 'interviewee' });
  ({ client, counts } = counted(createRoomcast({ url: dev.url, token: devToken('alice') })));
  client.connect();
});

afterEach(() => client.close());

const until = (check: () => void) => vi.waitFor(check, 10_000);
const status = (session: string) => client.session(session).state.status;
const joined = (session = id) => until(() => expect(status(session)).toBe('joined'));
const left = (session = id) => until(() => expect(status(session)).toBe('idle'));
const publish = (status: string, session = id) => dev.backend.publish(session, status);
const updated = (status: string, session = id) =>
  expect.objectContaining({ sessionId: session, session: expect.objectContaining({ status }) as unknown });
const listeners = () =>
  ['session-updated', 'role-selected', 'connect', 'disconnect', 'connect_error'].map(
    (event) => client.socket.listeners(event as 'connect').length,
  );

test('the handlers of the last render are called, and none is subscribed anew', async () => {
  let handler = vi.fn();
  const page = provided(() => useSocket({ sessionId: id, events: { 'session-updated': handler } }), {
    client,
  });
  await joined();
  await publish('first');
  await until(() => expect(handler).toHaveBeenCalledWith(updated('first'), expect.stringContaining(id)));

  const [old, { begun }] = [handler, { ...counts }];
  handler = vi.fn();
  page.change();
  await publish('second');
  await until(() => expect(handler).toHaveBeenCalledWith(updated('second'), expect.any(String)));
  expect(old).toHaveBeenCalledTimes(1);
  expect(counts.begun).toBe(begun);
});

test('events may come and go between renders', async () => {
  const roles = vi.fn();
  const updates = vi.fn();
  let events: EventHandlers = { 'role-selected': roles };
  const page = provided(() => useSocket({ sessionId: id, events }), { client });
  await joined();
  events = { 'session-updated': updates, 'role-selected': undefined };
  page.change();
  await dev.backend.selectRole(id, 'carol', 'observer');
  await publish('second');
  await until(() => expect(updates).toHaveBeenCalledTimes(1));
  expect(roles).not.toHaveBeenCalled();
});

test('under StrictMode an event is handled once', async () => {
  const handler = vi.fn();
  provided(() => useSocket({ sessionId: id, events: { 'session-updated': handler } }), { client }, true);
  await joined();
  await publish('first');
  await publish('second');
  await until(() => expect(handler).toHaveBeenCalledWith(updated('second'), expect.any(String)));
  expect(handler).toHaveBeenCalledTimes(2);
});

test('another sessionId leaves the one session and joins the other', async () => {
  const other = `${id}-other`;
  await dev.backend.publish(other, 'running', { alice: 'observer' });
  const handler = vi.fn();
  let sessionId: string | undefined = id;
  const page = provided(() => useSocket({ sessionId, events: { 'session-updated': handler } }), { client });
  await joined();
  sessionId = other;
  page.change();
  await joined(other);
  await left();
  await publish('unheard');
  await publish('heard', other);
  await until(() => expect(handler).toHaveBeenCalledWith(updated('heard', other), expect.any(String)));
  expect(handler).toHaveBeenCalledTimes(1);
  sessionId = undefined;
  page.change();
  await left(other);
});

test('a session that two components are in is left with the second', async () => {
  const page = (...ids: string[]) => (
    <SocketProvider client={client}>
      {ids.map((key) => (
        <Joined key={key} id={id} />
      ))}
    </SocketProvider>
  );
  const sent = vi.fn();
  client.socket.onAnyOutgoing(sent);
  const { rerender } = render(page('one', 'two'));
  await until(() => expect(screen.getAllByText(`${id}: joined`)).toHaveLength(2));
  rerender(page('two'));
  await publish('still heard');
  await until(() => expect(client.session(id).state.session?.status).toBe('still heard'));
  rerender(page());
  await left();
  expect(sent.mock.calls.map(([event]) => event as string)).toEqual(['join-session', 'leave-session']);
});

test('a session that one component hands over to another is not left', async () => {
  const page = (key: string) => (
    <SocketProvider client={client}>
      <Joined key={key} id={id} />
    </SocketProvider>
  );
  const sent = vi.fn();
  client.socket.onAnyOutgoing(sent);
  const { rerender } = render(<StrictMode>{page('one')}</StrictMode>);
  await screen.findByText(`${id}: joined`);
  rerender(<StrictMode>{page('two')}</StrictMode>);
  expect(screen.getByText(`${id}: joined`)).toBeTruthy();
  await publish('still heard');
  await until(() => expect(client.session(id).state.session?.status).toBe('still heard'));
  expect(sent.mock.calls.map(([event]) => event as string)).toEqual(['join-session']);
});

test('subscribe listens until its function, or unsubscribe, or the end of the component', async () => {
  const [first, second, third, witness] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
  provided(() => useSocket({ sessionId: id, events: { 'session-updated': witness } }), { client });
  const page = provided(useSocket, { client });
  const other = provided(useSocket, { client });
  await joined();
  const { subscribe, unsubscribe } = page.current;
  const end = subscribe('session-updated', first);
  for (const handler of [second, third]) subscribe('session-updated', handler);
  subscribe('session-updated', third);
  other.current.subscribe('session-updated', second);

  const heard = async (status: string) => {
    await publish(status);
    await until(() => expect(witness).toHaveBeenCalledWith(updated(status), expect.any(String)));
    const calls = [first, second, third].map((handler) => handler.mock.calls.length);
    for (const handler of [first, second, third]) handler.mockClear();
    return calls;
  };
  expect(await heard('all, and the second twice')).toEqual([1, 2, 1]);
  end();
  expect(await heard('not the first')).toEqual([0, 2, 1]);
  unsubscribe('session-updated', second);
  expect(await heard('the second by the other')).toEqual([0, 1, 1]);
  subscribe('session-updated', first);
  end();
  expect(await heard('the first again')).toEqual([1, 1, 1]);
  unsubscribe('session-updated');
  expect(await heard('the other')).toEqual([0, 1, 0]);
  subscribe('session-updated', third);
  page.unmount();
  expect(await heard('the other still')).toEqual([0, 1, 0]);
});

test('subscribe with a session joins it until its function, or unsubscribe, or the end of the component', async () => {
  const page = provided(useSocket, { client });
  const { subscribe, unsubscribe } = page.current;
  const leave = subscribe(id);
  await joined();
  leave();
  await left();
  subscribe(id);
  await joined();
  unsubscribe(id);
  await left();
  subscribe(id);
  await joined();
  page.unmount();
  await left();
});

test('emit sends, keeps what comes before the connection, and takes an acknowledgement', async () => {
  const page = provided(useSocket, { client });
  expect(page.current.connected).toBe(false);
  const answer = vi.fn();
  page.current.emit('join-session', id, answer);
  await until(() =>
    expect(answer).toHaveBeenCalledWith(expect.objectContaining({ ok: true, sessionId: id })),
  );
});

test('its functions stay the same until the connection is another one', async () => {
  const url = dev.url;
  const page = provided(useSocket, { url, token: devToken('alice') });
  const { emit, subscribe, unsubscribe } = page.current;
  await until(() => expect(page.current.connected).toBe(true));
  expect(page.current).toMatchObject({ emit, subscribe, unsubscribe });
  page.change({ url, token: devToken('bob') });
  for (const [name, before] of Object.entries({ emit, subscribe, unsubscribe })) {
    expect(page.current[name as 'emit']).not.toBe(before);
  }
});

test('nothing that hooks began is left when they are unmounted', async () => {
  const [before, open] = [listeners(), counts.open];
  const hooks = () => {
    const { subscribe } = useSocket({
      sessionId: id,
      events: { 'session-updated': () => {}, 'role-selected': () => {} },
    });
    useSession(id);
    return subscribe;
  };
  const page = provided(hooks, { client }, true);
  await joined();
  page.current('feedback-updated', () => {});
  page.change();
  expect(counts.open).toBeGreaterThan(open);
  page.unmount();
  await left();
  expect(counts.open).toBe(open);
  expect(listeners()).toEqual(before);
});

test('outside a provider hooks say what they miss', () => {
  const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
  function Lost({ hook }: { hook: () => unknown }) {
    hook();
    return null;
  }
  expect(() => render(<Lost hook={useSocket} />)).toThrow(
    'useSocket has to be called in a component inside a <SocketProvider>',
  );
  expect(() => render(<Lost hook={() => useSession(id)} />)).toThrow('useSession has to be called');
  errors.mockClear();
});
