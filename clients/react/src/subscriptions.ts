import type { Roomcast } from '@roomcast/core';

import type { EventHandler, EventName } from './event-handlers.js';

/**
 * Adds a handler of an event, or joins a session. The returned function undoes this. A repeated call with the same
 * arguments has no effect.
 */
export interface Subscribe {
  <E extends EventName>(event: E, handler: EventHandler<E>): () => void;
  (sessionId: string): () => void;
}

/** Removes one handler or all handlers of an event, or leaves a session. Affects only the same component. */
export interface Unsubscribe {
  <E extends EventName>(event: E, handler: EventHandler<E>): void;
  (event: EventName): void;
  (sessionId: string): void;
}

/** The subscriptions that one component made through function calls. They end with the component. */
export class Subscriptions {
  readonly #client: Roomcast | null;
  /** The functions that undo each subscription: by event and handler, or by session and `undefined`. */
  readonly #undo = new Map<string, Map<unknown, () => void>>();

  constructor(client: Roomcast | null) {
    this.#client = client;
  }

  readonly emit: Roomcast['emit'] = (event, ...args) => {
    this.#client?.emit(event, ...args);
  };

  readonly subscribe: Subscribe = <E extends EventName>(name: E | string, handler?: EventHandler<E>) => {
    const byHandler = this.#undo.get(name) ?? new Map<unknown, () => void>();
    this.#undo.set(name, byHandler);
    const undo = byHandler.get(handler) ?? this.#start(name, handler);
    byHandler.set(handler, undo);
    return () => {
      // A later subscription with the same arguments is not affected.
      if (byHandler.get(handler) === undo) this.#end(byHandler, handler);
    };
  };

  readonly unsubscribe: Unsubscribe = (name: string, handler?: unknown) => {
    const byHandler = this.#undo.get(name);
    if (!byHandler) return;
    for (const key of handler === undefined ? [...byHandler.keys()] : [handler]) this.#end(byHandler, key);
  };

  /** Ends all subscriptions. */
  endAll(): void {
    for (const name of this.#undo.keys()) this.unsubscribe(name as EventName);
  }

  #start<E extends EventName>(name: E | string, handler: EventHandler<E> | undefined): () => void {
    const client = this.#client;
    if (!client) return () => {};
    if (!handler) return client.join(name);
    return client.on(name as E, handler);
  }

  #end(byHandler: Map<unknown, () => void>, key: unknown): void {
    byHandler.get(key)?.();
    byHandler.delete(key);
  }
}
