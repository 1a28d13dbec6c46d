import { useEffect, useMemo } from 'react';
import { createRoomcast, userOf, type Roomcast } from '@roomcast/core';

import { useLatest } from './use-latest.js';
import type { SocketProviderProps } from './socket-provider.js';

type Options = Omit<SocketProviderProps, 'children'>;

/** The connection that the options ask for: one for each user and edge, connected while the component is mounted. */
export function useRoomcast(options: Options, hydrated: boolean): Roomcast | null {
  const { client: given, token, url } = options;
  const latest = useLatest(options);
  const asks = options.getToken !== undefined;
  // A token that does not say whose it is may be anybody's, so that another one is taken for another user's.
  const user = token ? (userOf(token, options.userClaim) ?? token) : undefined;
  // Effects of the first commit of a hydration may use it, so it exists then already; on a server it never does.
  const here = hydrated || typeof document !== 'undefined';
  const client = useMemo(
    () => given ?? (here && (user !== undefined || asks) ? made() : null),
    [given, here, url, user, asks],
  );

  function made(): Roomcast {
    const { userClaim, storage, socketOptions } = options;
    return createRoomcast({
      url,
      token: token || undefined,
      getToken: asks ? async () => ask() : undefined,
      userClaim,
      storage,
      socketOptions,
    });
  }

  function ask(): string | Promise<string> {
    const { getToken } = latest.current;
    if (!getToken) throw new Error('SocketProvider has no getToken any more');
    return getToken();
  }

  useEffect(() => {
    // It has the first one already, and takes it for no news.
    if (client && client !== given && token) client.setToken(token);
  }, [client, given, token]);

  useEffect(() => {
    if (!client || client === given) return;
    let isMounted = true;
    // When all effects of the commit have run: StrictMode mounts twice, and an edge would keep the first one's handshake
    // until it is sure that nobody goes on with it.
    queueMicrotask(() => isMounted && client.connect());
    return () => {
      isMounted = false;
      client.close();
    };
  }, [client, given]);

  return client;
}
