import { useEffect, useMemo } from 'react';
import type { Roomcast } from '@roomcast/core';

import type { EventHandlers } from './event-handlers.js';
import type { SocketContextValue } from './socket-context.js';
import { Subscriptions, type Subscribe, type Unsubscribe } from './subscriptions.js';
import { useEvents } from './use-events.js';
import { useJoin } from './use-join.js';
import { useSocketContext } from './use-socket-context.js';

/** The options of `useSocket`. */
export interface UseSocketOptions {
  /** A session that is joined while the component is mounted. */
  readonly sessionId?: string | null | undefined;
  /**
   * Handlers of the events of the user's own room and of every session that the page has joined. May be different
   * functions in each render.
   */
  readonly events?: EventHandlers | undefined;
}

/** The result of `useSocket`. Its functions are the same in every render until the connection is replaced. */
export interface UseSocketResult extends SocketContextValue {
  /** Sends an event, like `socket.emit`, which queues it until there is a connection. */
  readonly emit: Roomcast['emit'];
  /** Adds a handler of an event, or joins a session, until the component is unmounted. */
  readonly subscribe: Subscribe;
  /** Undoes `subscribe` in the same component. */
  readonly unsubscribe: Unsubscribe;
}

/** Returns the provider's connection. Joins a session and handles events while the component is mounted. */
export function useSocket(options: UseSocketOptions = {}): UseSocketResult {
  const context = useSocketContext('useSocket');
  const { client } = context;
  useJoin(client, options.sessionId);
  useEvents(client, options.events);
  const subscriptions = useMemo(() => new Subscriptions(client), [client]);
  useEffect(() => () => subscriptions.endAll(), [subscriptions]);
  const { emit, subscribe, unsubscribe } = subscriptions;
  return { ...context, emit, subscribe, unsubscribe };
}
