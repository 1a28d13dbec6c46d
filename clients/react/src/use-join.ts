import { useEffect } from 'react';
import type { Roomcast } from '@roomcast/core';

/** Holds the session while the component is mounted. */
export function useJoin(client: Roomcast | null, sessionId: string | null | undefined): void {
  useEffect(() => {
    if (!client || !sessionId) return;
    return client.join(sessionId);
  }, [client, sessionId]);
}
