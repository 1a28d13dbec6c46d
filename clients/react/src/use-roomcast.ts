import { useEffect, useMemo } from 'react';
import { createRoomcast, userOf, type Roomcast } from '@roomcast/core';

import type { ConnectionProps } from './connection-props.js';
import { useLatest } from './use-latest.js';

/** Returns the client for the props: one for each user and URL. It is connected while the component is mounted. */
export function useRoomcast(props: ConnectionProps, hydrated: boolean): Roomcast | null {
  const { client: ownClient, token, url } = props;
  const latest = useLatest(props);
  const hasGetToken = props.getToken !== undefined;
  // A token without a readable user may belong to any user, so each such token counts as another user's.
  const user = token ? (userOf(token, props.userClaim) ?? token) : undefined;
  // Effects of the first commit of a hydration may use the client, so it must exist by then. On a server it never does.
  const isBrowser = hydrated || typeof document !== 'undefined';
  const canConnect = isBrowser && (user !== undefined || hasGetToken);
  const client = useMemo(
    () => ownClient ?? (canConnect ? createClient() : null),
    [ownClient, canConnect, url, user, hasGetToken],
  );

  function createClient(): Roomcast {
    const { userClaim, storage, socketOptions } = props;
    return createRoomcast({
      url,
      token: token || undefined,
      getToken: hasGetToken ? async () => callGetToken() : undefined,
      userClaim,
      storage,
      socketOptions,
    });
  }

  function callGetToken(): string | Promise<string> {
    const { getToken } = latest.current;
    if (!getToken) throw new Error('the prop getToken of SocketProvider was removed');
    return getToken();
  }

  useEffect(() => {
    // The client ignores its first token, because it has that token already.
    if (client && client !== ownClient && token) client.setToken(token);
  }, [client, ownClient, token]);

  useEffect(() => {
    if (!client || client === ownClient) return;
    let isMounted = true;
    // Connects after all effects of the commit. StrictMode mounts twice, and an edge would keep the handshake of the
    // first mount until its timeout.
    queueMicrotask(() => isMounted && client.connect());
    return () => {
      isMounted = false;
      client.close();
    };
  }, [client, ownClient]);

  return client;
}
