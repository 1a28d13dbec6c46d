import { useSyncExternalStore } from 'react';

const subscribeToNothing = () => () => {};
const getTrue = () => true;
const getFalse = () => false;

/** Returns `false` on a server and in the first render of a hydration, which must equal the server's render. */
export function useHydrated(): boolean {
  return useSyncExternalStore(subscribeToNothing, getTrue, getFalse);
}
