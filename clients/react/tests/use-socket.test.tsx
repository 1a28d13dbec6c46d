import { StrictMode } from 'react';
import { render, screen } from '@testing-library/react';
import { createRoomcast, type Roomcast } from '@roomcast/core';
import { SocketProvider, useSession, useSocket, type EventHandlers } from '@roomcast/react';
import { devToken } from '@roomcast/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { countSubscriptions, type SubscriptionCounts } from './count-subscriptions.js';
import { dev } from './dev.js';
import { SessionStatus } from './session-status.js';
import { renderInProvider } from './render-in-provider.js';

/** The page's own client, which counts the subscriptions of the hooks. */
let client: Roomcast;
let counts: SubscriptionCounts;
/** A separate session for each test, with alice as a participant. */
let id = '';
let tests = 0;

beforeEach(async () => {
  id = `s${++tests}`;
  await dev.backend.publish(id, 'running', { alice: 'interviewer', bob: 'interviewee' });
  ({ client, counts } = countSubscriptions(createRoomcast({ url: dev.url, token: devToken('alice') })));
  client.connect();
});

afterEach(() => client.close());

const until = (check: () => void) => vi.waitFor(check, 10_000);
const status = (session: string) => client.session(session).getSnapshot().status;
const joined = (session = id) => until(() => expect(status(session)).toBe('joined'));
const left = (session = id) => until(() => expect(status(session)).toBe('idle'));
const publish = (status: string, session = id) => dev.backend.publish(session, status);
const updated = (status: string, session = id) =>
  expect.objectContaining({ sessionId: session, session: expect.objectContaining({ status }) as unknown });
const listeners = () =>
  ['session-updated', 'role-selected', 'connect', 'disconnect', 'connect_error'].map(
    (event) => client.socket.listeners(event as 'connect').length,
  );

test('the handlers of the last render are called, without a new subscription', async () => {
  let handler = vi.fn();
  const page = renderInProvider(() => useSocket({ sessionId: id, events: { 'session-updated': handler } }), {
    client,
  });
  await joined();
  await publish('first');
  await until(() => expect(handler).toHaveBeenCalledWith(updated('first'), expect.stringContaining(id)));

  const [previous, { started }] = [handler, { ...counts }];
  handler = vi.fn();
  page.rerender();
  await publish('second');
  await until(() => expect(handler).toHaveBeenCalledWith(updated('second'), expect.any(String)));
  expect(previous).toHaveBeenCalledTimes(1);
  expect(counts.started).toBe(started);
});

test('event names may change between renders', async () => {
  const roles = vi.fn();
  const updates = vi.fn();
  let events: EventHandlers = { 'role-selected': roles };
  const page = renderInProvider(() => useSocket({ sessionId: id, events }), { client });
  await joined();
  events = { 'session-updated': updates, 'role-selected': undefined };
  page.rerender();
  await dev.backend.selectRole(id, 'carol', 'observer');
  await publish('second');
  await until(() => expect(updates).toHaveBeenCalledTimes(1));
  expect(roles).not.toHaveBeenCalled();
});

test('under StrictMode an event is handled once', async () => {
  const handler = vi.fn();
  renderInProvider(
    () => useSocket({ sessionId: id, events: { 'session-updated': handler } }),
    { client },
    true,
  );
  await joined();
  await publish('first');
  await publish('second');
  await until(() => expect(handler).toHaveBeenCalledWith(updated('second'), expect.any(String)));
  expect(handler).toHaveBeenCalledTimes(2);
});

test('another sessionId leaves the previous session and joins the new one', async () => {
  const other = `${id}-other`;
  await dev.backend.publish(other, 'running', { alice: 'observer' });
  const handler = vi.fn();
  let sessionId: string | undefined = id;
  const page = renderInProvider(() => useSocket({ sessionId, events: { 'session-updated': handler } }), {
    client,
  });
  await joined();
  sessionId = other;
  page.rerender();
  await joined(other);
  await left();
  await publish('unexpected');
  await publish('expected', other);
  await until(() => expect(handler).toHaveBeenCalledWith(updated('expected', other), expect.any(String)));
  expect(handler).toHaveBeenCalledTimes(1);
  sessionId = undefined;
  page.rerender();
  await left(other);
});

test('a session of two components is left when both are unmounted', async () => {
  const page = (...ids: string[]) => (
    <SocketProvider client={client}>
      {ids.map((key) => (
        <SessionStatus key={key} id={id} />
      ))}
    </SocketProvider>
  );
  const sent = vi.fn();
  client.socket.onAnyOutgoing(sent);
  const { rerender } = render(page('one', 'two'));
  await until(() => expect(screen.getAllByText(`${id}: joined`)).toHaveLength(2));
  rerender(page('two'));
  await publish('still received');
  await until(() => expect(client.session(id).getSnapshot().session?.status).toBe('still received'));
  rerender(page());
  await left();
  expect(sent.mock.calls.map(([event]) => event as string)).toEqual(['join-session', 'leave-session']);
});

test('a session is not left when one component replaces another', async () => {
  const page = (key: string) => (
    <SocketProvider client={client}>
      <SessionStatus key={key} id={id} />
    </SocketProvider>
  );
  const sent = vi.fn();
  client.socket.onAnyOutgoing(sent);
  const { rerender } = render(<StrictMode>{page('one')}</StrictMode>);
  await screen.findByText(`${id}: joined`);
  rerender(<StrictMode>{page('two')}</StrictMode>);
  expect(screen.getByText(`${id}: joined`)).toBeTruthy();
  await publish('still received');
  await until(() => expect(client.session(id).getSnapshot().session?.status).toBe('still received'));
  expect(sent.mock.calls.map(([event]) => event as string)).toEqual(['join-session']);
});

test('subscribe adds a handler until its function, unsubscribe or the unmounting removes it', async () => {
  const [first, second, third, reference] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
  renderInProvider(() => useSocket({ sessionId: id, events: { 'session-updated': reference } }), { client });
  const page = renderInProvider(useSocket, { client });
  const other = renderInProvider(useSocket, { client });
  await joined();
  const { subscribe, unsubscribe } = page.current;
  const end = subscribe('session-updated', first);
  for (const handler of [second, third]) subscribe('session-updated', handler);
  subscribe('session-updated', third);
  other.current.subscribe('session-updated', second);

  const callsAfter = async (status: string) => {
    await publish(status);
    await until(() => expect(reference).toHaveBeenCalledWith(updated(status), expect.any(String)));
    const calls = [first, second, third].map((handler) => handler.mock.calls.length);
    for (const handler of [first, second, third]) handler.mockClear();
    return calls;
  };
  expect(await callsAfter('all handlers, the second one twice')).toEqual([1, 2, 1]);
  end();
  expect(await callsAfter('without the first handler')).toEqual([0, 2, 1]);
  unsubscribe('session-updated', second);
  expect(await callsAfter('the second handler of the other component')).toEqual([0, 1, 1]);
  subscribe('session-updated', first);
  end();
  expect(await callsAfter('the first handler again')).toEqual([1, 1, 1]);
  unsubscribe('session-updated');
  expect(await callsAfter('only the other component')).toEqual([0, 1, 0]);
  subscribe('session-updated', third);
  page.unmount();
  expect(await callsAfter('only the other component after unmounting')).toEqual([0, 1, 0]);
});

test('subscribe joins a session until its function, unsubscribe or the unmounting leaves it', async () => {
  const page = renderInProvider(useSocket, { client });
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

test('emit queues events until there is a connection, and supports acknowledgements', async () => {
  const page = renderInProvider(useSocket, { client });
  expect(page.current.connected).toBe(false);
  const acknowledge = vi.fn();
  page.current.emit('join-session', id, acknowledge);
  await until(() =>
    expect(acknowledge).toHaveBeenCalledWith(expect.objectContaining({ ok: true, sessionId: id })),
  );
});

test('the functions of useSocket stay the same until the connection is replaced', async () => {
  const url = dev.url;
  const page = renderInProvider(useSocket, { url, token: devToken('alice') });
  const { emit, subscribe, unsubscribe } = page.current;
  await until(() => expect(page.current.connected).toBe(true));
  expect(page.current).toMatchObject({ emit, subscribe, unsubscribe });
  page.rerender({ url, token: devToken('bob') });
  for (const [name, before] of Object.entries({ emit, subscribe, unsubscribe })) {
    expect(page.current[name as 'emit']).not.toBe(before);
  }
});

test('hooks leave no subscription after unmounting', async () => {
  const [listenersBefore, activeBefore] = [listeners(), counts.active];
  const hooks = () => {
    const { subscribe } = useSocket({
      sessionId: id,
      events: { 'session-updated': () => {}, 'role-selected': () => {} },
    });
    useSession(id);
    return subscribe;
  };
  const page = renderInProvider(hooks, { client }, true);
  await joined();
  page.current('feedback-updated', () => {});
  page.rerender();
  expect(counts.active).toBeGreaterThan(activeBefore);
  page.unmount();
  await left();
  expect(counts.active).toBe(activeBefore);
  expect(listeners()).toEqual(listenersBefore);
});

test('outside a provider hooks throw an error that names the hook', () => {
  const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
  function Outside({ hook }: { hook: () => unknown }) {
    hook();
    return null;
  }
  expect(() => render(<Outside hook={useSocket} />)).toThrow(
    'useSocket must be called in a component inside a <SocketProvider>',
  );
  expect(() => render(<Outside hook={() => useSession(id)} />)).toThrow('useSession must be called');
  errors.mockClear();
});
