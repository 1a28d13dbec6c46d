import type { Roomcast } from '@roomcast/core';

import type { EventHandler, EventName } from './use-events.js';

/** Listens to an event, or joins a session. Gives a function that undoes it. The same once more has no effect. */
export interface Subscribe {
  <E extends EventName>(event: E, handler: EventHandler<E>): () => void;
  (sessionId: string): () => void;
}

/** Undoes what the same component subscribed to: one handler of an event, all its handlers of an event, or a session. */
export interface Unsubscribe {
  <E extends EventName>(event: E, handler: EventHandler<E>): void;
  (event: EventName): void;
  (sessionId: string): void;
}

/** What one component does by calls, beside the options of its hook. What is left of it ends with the component. */
export class Subscriptions {
  readonly #client: Roomcast | null;
  /** What undoes each: by event and handler, or by session and `undefined`. */
  readonly #kept = new Map<string, Map<unknown, () => void>>();

  constructor(client: Roomcast | null) {
    this.#client = client;
  }

  readonly emit: Roomcast['emit'] = (event, ...args) => {
    this.#client?.emit(event, ...args);
  };

  readonly subscribe: Subscribe = <E extends EventName>(name: E | string, handler?: EventHandler<E>) => {
    const named = this.#kept.get(name) ?? new Map<unknown, () => void>();
    this.#kept.set(name, named);
    const undo = named.get(handler) ?? this.#begin(name, handler);
    named.set(handler, undo);
    return () => {
      // Not one that was begun after this one had ended.
      if (named.get(handler) === undo) this.#end(named, handler);
    };
  };

  readonly unsubscribe: Unsubscribe = (name: string, handler?: unknown) => {
    const named = this.#kept.get(name);
    if (!named) return;
    for (const key of handler === undefined ? [...named.keys()] : [handler]) this.#end(named, key);
  };

  /** Undoes everything. */
  end(): void {
    for (const name of this.#kept.keys()) this.unsubscribe(name as EventName);
  }

  #begin<E extends EventName>(name: E | string, handler: EventHandler<E> | undefined): () => void {
    const client = this.#client;
    if (!client) return () => {};
    if (!handler) return client.join(name);
    return client.on(name as E, handler);
  }

  #end(named: Map<unknown, () => void>, key: unknown): void {
    named.get(key)?.();
    named.delete(key);
  }
}
