import type { Roomcast, SessionView } from '@roomcast/core';

/** The subscriptions of a client: listeners, handlers and holds. */
export interface SubscriptionCounts {
  /** All subscriptions that were started. */
  started: number;
  /** The subscriptions that were started and have not ended. */
  active: number;
}

const SUBSCRIBING_METHODS = new Set<string | symbol>(['on', 'subscribe', 'join']);

/** Wraps the client, so that every subscription through it is counted. */
export function countSubscriptions(client: Roomcast): { client: Roomcast; counts: SubscriptionCounts } {
  const counts = { started: 0, active: 0 };
  const views = new Map<string, SessionView>();
  const session = (id: string) => {
    const view = views.get(id) ?? withCounting(client.session(id), counts);
    views.set(id, view);
    return view;
  };
  return { client: withCounting(client, counts, { session }), counts };
}

function withCounting<T extends object>(
  object: T,
  counts: SubscriptionCounts,
  overrides: Partial<T> = {},
): T {
  // The same function is returned for each access, as by the object itself.
  const methods = new Map<string | symbol, unknown>();
  return new Proxy(object, {
    get(target, name) {
      const value: unknown =
        name in overrides ? Reflect.get(overrides, name) : Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const method = methods.get(name) ?? (SUBSCRIBING_METHODS.has(name) ? counting() : value.bind(target));
      methods.set(name, method);
      return method;

      function counting() {
        return (...args: unknown[]) => {
          counts.started += 1;
          counts.active += 1;
          let end: (() => void) | undefined = Reflect.apply(value as () => () => void, target, args);
          return () => {
            if (!end) return;
            counts.active -= 1;
            end();
            end = undefined;
          };
        };
      }
    },
  });
}
