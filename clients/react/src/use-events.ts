import { useEffect, type RefObject } from 'react';
import type { Roomcast, ServerToClientEvents } from '@roomcast/core';

import { useLatest } from './use-latest.js';

/** The name of an event that the server sends. */
export type EventName = keyof ServerToClientEvents;

/** What is called with an event: its payload, and its cursor (opaque). */
export type EventHandler<E extends EventName> = ServerToClientEvents[E];

/** Functions by the name of the event that they are called with. */
export type EventHandlers = { readonly [E in EventName]?: EventHandler<E> | undefined };

/** Calls the handlers of the last render. Which events are listened to changes only with their names. */
export function useEvents(client: Roomcast | null, events: EventHandlers = {}): void {
  const latest = useLatest(events);
  const names = Object.keys(events).sort().join(' ');
  useEffect(() => {
    if (!client || !names) return;
    // The type of `events` has no other keys; what plain JavaScript listens to beyond them never comes.
    const listened = names.split(' ') as EventName[];
    const offs = listened.map((name) => listen(client, name, latest));
    return () => offs.forEach((off) => off());
  }, [client, names, latest]);
}

function listen<E extends EventName>(
  client: Roomcast,
  name: E,
  latest: RefObject<EventHandlers>,
): () => void {
  // The compiler can't see that the payload is the one of E: it comes from where E's handlers are called.
  const handler = (payload: unknown, cursor: string) => latest.current[name]?.(payload as never, cursor);
  return client.on(name, handler);
}
