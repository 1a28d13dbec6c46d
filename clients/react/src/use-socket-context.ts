import { useContext } from 'react';

import { SocketContext, type SocketContextValue } from './socket-context.js';

/** Returns the value of the nearest `SocketProvider`. Outside a provider it throws an error that names `hook`. */
export function useSocketContext(hook: string): SocketContextValue {
  const value = useContext(SocketContext);
  if (!value) throw new Error(`${hook} must be called in a component inside a <SocketProvider>`);
  return value;
}
