import { useSyncExternalStore } from 'react';

const never = () => () => {};
const yes = () => true;
const no = () => false;

/** `false` on a server and in the first render of a hydration, which has to show what the server showed. */
export function useHydrated(): boolean {
  return useSyncExternalStore(never, yes, no);
}
