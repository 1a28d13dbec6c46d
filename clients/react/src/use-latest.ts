import { useInsertionEffect, useRef, type RefObject } from 'react';

/** The value of the last render that was committed, for what runs later than a render. */
export function useLatest<T>(value: T): RefObject<T> {
  const latest = useRef(value);
  // Before every other effect, so that none of them sees what an earlier render gave. (A layout effect would make
  // React 18 warn on a server.)
  useInsertionEffect(() => {
    latest.current = value;
  });
  return latest;
}
