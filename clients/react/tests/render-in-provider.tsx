import { StrictMode, useEffect } from 'react';
import { render } from '@testing-library/react';
import { SocketProvider, type SocketProviderProps } from '@roomcast/react';

interface Provided<T> {
  /** What the hook gave in the last render that was committed. */
  readonly current: T;
  /** Renders once more, with other props of the provider, or the same. */
  change(props?: SocketProviderProps): void;
  unmount(): void;
}

/** A component that calls a hook, inside a provider. */
export function provided<T>(hook: () => T, props: SocketProviderProps, strict = false): Provided<T> {
  const seen: { last?: { value: T } } = {};
  function Probe() {
    const value = hook();
    useEffect(() => {
      seen.last = { value };
    });
    return null;
  }
  const tree = (props: SocketProviderProps) => {
    const root = (
      <SocketProvider {...props}>
        <Probe />
      </SocketProvider>
    );
    return strict ? <StrictMode>{root}</StrictMode> : root;
  };
  const { rerender, unmount } = render(tree(props));
  return {
    get current() {
      if (!seen.last) throw new Error('nothing was rendered');
      return seen.last.value;
    },
    change: (other = props) => rerender(tree(other)),
    unmount,
  };
}
