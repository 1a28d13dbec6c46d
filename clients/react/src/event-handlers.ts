import type { ServerToClientEvents } from '@roomcast/core';

/** The name of an event from the server. */
export type EventName = keyof ServerToClientEvents;

/** A function that is called with an event's payload and its opaque cursor. */
export type EventHandler<E extends EventName> = ServerToClientEvents[E];

/** Event handlers by event name. */
export type EventHandlers = { readonly [E in EventName]?: EventHandler<E> | undefined };
