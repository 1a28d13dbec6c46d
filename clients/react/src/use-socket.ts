import { useEffect, useMemo } from 'react';
import type { Roomcast } from '@roomcast/core';

import { useProvided, type SocketContextValue } from './socket-context.js';
import { useEvents, type EventHandlers } from './use-events.js';
import { useJoined } from './use-join.js';
import { Subscriptions, type Subscribe, type Unsubscribe } from './subscriptions.js';

/** What `useSocket` takes. */
export interface UseSocketOptions {
  /** A session to be in while the component is mounted. */
  readonly sessionId?: string | null | undefined;
  /**
   * What to do with events: those of the user's own room, and of every session that the page is in. May be other
   * functions in each render.
   */
  readonly events?: EventHandlers | undefined;
}

/** What `useSocket` gives. The functions stay the same from render to render, as long as the connection does. */
export interface UseSocket extends SocketContextValue {
  /** Sends an event, as `socket.emit` does: kept until there is a connection. */
  readonly emit: Roomcast['emit'];
  /** Listens to an event, or joins a session; what is left of it ends with the component. */
  readonly subscribe: Subscribe;
  /** Undoes what this component subscribed to. */
  readonly unsubscribe: Unsubscribe;
}

/** The connection of the provider around the component; joins a session and listens while the component is mounted. */
export function useSocket(options: UseSocketOptions = {}): UseSocket {
  const provided = useProvided('useSocket');
  const { client } = provided;
  useJoined(client, options.sessionId);
  useEvents(client, options.events);
  const subscriptions = useMemo(() => new Subscriptions(client), [client]);
  useEffect(() => () => subscriptions.end(), [subscriptions]);
  const { emit, subscribe, unsubscribe } = subscriptions;
  return { ...provided, emit, subscribe, unsubscribe };
}
