import type { Roomcast, SessionView } from '@roomcast/core';

/** How many listeners, handlers and holds were begun on a connection, and how many of them have not ended. */
export interface Counts {
  begun: number;
  open: number;
}

const BEGINNERS = new Set<string | symbol>(['on', 'onState', 'join']);

/** The connection itself, with everything counted that is begun through it. */
export function counted(client: Roomcast): { client: Roomcast; counts: Counts } {
  const counts = { begun: 0, open: 0 };
  const views = new Map<string, SessionView>();
  const session = (id: string) => {
    const view = views.get(id) ?? counting(client.session(id), counts);
    views.set(id, view);
    return view;
  };
  return { client: counting(client, counts, { session }), counts };
}

function counting<T extends object>(of: T, counts: Counts, instead: Partial<T> = {}): T {
  return new Proxy(of, {
    get(target, name) {
      const value: unknown = name in instead ? Reflect.get(instead, name) : Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (!BEGINNERS.has(name)) return value.bind(target) as unknown;
      return (...args: unknown[]) => {
        counts.begun += 1;
        counts.open += 1;
        let end: (() => void) | undefined = Reflect.apply(value, target, args);
        return () => {
          if (!end) return;
          counts.open -= 1;
          end();
          end = undefined;
        };
      };
    },
  });
}
