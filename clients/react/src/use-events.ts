import { useEffect, type RefObject } from 'react';
import type { Roomcast } from '@roomcast/core';

import type { EventHandlers, EventName } from './event-handlers.js';
import { useLatest } from './use-latest.js';

/** Calls the handlers of the last committed render. Changes its subscriptions only if the event names change. */
export function useEvents(client: Roomcast | null, handlers: EventHandlers = {}): void {
  const latest = useLatest(handlers);
  const names = Object.keys(handlers).sort().join(' ');
  useEffect(() => {
    if (!client || !names) return;
    // The type of `handlers` has no other keys. Other names from plain JavaScript are never called.
    const eventNames = names.split(' ') as EventName[];
    const removals = eventNames.map((name) => addHandler(client, name, latest));
    return () => removals.forEach((remove) => remove());
  }, [client, names, latest]);
}

function addHandler<E extends EventName>(
  client: Roomcast,
  name: E,
  latest: RefObject<EventHandlers>,
): () => void {
  // The compiler cannot infer that the payload belongs to E. `client.on(name, …)` guarantees it.
  const handler = (payload: unknown, cursor: string) => latest.current[name]?.(payload as never, cursor);
  return client.on(name, handler);
}
