import { useInsertionEffect, useRef, type RefObject } from 'react';

/** Returns a ref with the value of the last committed render, for code that runs after a render. */
export function useLatest<T>(value: T): RefObject<T> {
  const latest = useRef(value);
  // An insertion effect runs before every other effect, so that no effect reads the value of an earlier render.
  // (A layout effect makes React 18 print a warning on a server.)
  useInsertionEffect(() => {
    latest.current = value;
  });
  return latest;
}
