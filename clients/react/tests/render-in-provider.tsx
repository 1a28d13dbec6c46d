import { StrictMode, useEffect } from 'react';
import { render } from '@testing-library/react';
import { SocketProvider, type SocketProviderProps } from '@roomcast/react';

interface RenderedHook<T> {
  /** The value of the hook in the last committed render. */
  readonly current: T;
  /** Renders again; `props` replaces the props of the provider. */
  rerender(props?: SocketProviderProps): void;
  unmount(): void;
}

/** Renders a component inside a provider that calls the hook. */
export function renderInProvider<T>(
  hook: () => T,
  props: SocketProviderProps,
  strict = false,
): RenderedHook<T> {
  const committed: { last?: { value: T } } = {};
  function HookCaller() {
    const value = hook();
    useEffect(() => {
      committed.last = { value };
    });
    return null;
  }
  const tree = (props: SocketProviderProps) => {
    const root = (
      <SocketProvider {...props}>
        <HookCaller />
      </SocketProvider>
    );
    return strict ? <StrictMode>{root}</StrictMode> : root;
  };
  const { rerender, unmount } = render(tree(props));
  return {
    get current() {
      if (!committed.last) throw new Error('no render was committed');
      return committed.last.value;
    },
    rerender: (nextProps = props) => rerender(tree(nextProps)),
    unmount,
  };
}
