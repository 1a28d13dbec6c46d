import { createContext, useContext } from 'react';

import type { PlaygroundSession } from './playground-session';

const PlaygroundSessionContext = createContext<PlaygroundSession | undefined>(undefined);

export const PlaygroundSessionProvider = PlaygroundSessionContext.Provider;

export function usePlaygroundSession(): PlaygroundSession {
  const session = useContext(PlaygroundSessionContext);
  if (session === undefined) throw new Error('usePlaygroundSession must be called inside its provider');
  return session;
}
