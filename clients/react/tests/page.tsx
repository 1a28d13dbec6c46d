import { useEffect } from 'react';
import { SocketProvider, useSession, useSocket, type SocketProviderProps } from '@roomcast/react';

/** What a page observed: for each render whether there was a client and a socket, and the payloads of updates. */
export interface Observed {
  readonly clients: boolean[];
  readonly sockets: boolean[];
  readonly updates: unknown[];
}

/** A complete page, which a server renders and a browser hydrates. */
export function Page({ observed, ...props }: SocketProviderProps & { observed: Observed }) {
  return (
    <SocketProvider {...props}>
      <Interview observed={observed} />
    </SocketProvider>
  );
}

function Interview({ observed }: { observed: Observed }) {
  const { client, connected, socket, subscribe } = useSocket({ events: { 'role-selected': () => {} } });
  const { status, participants, connection } = useSession('page');
  observed.clients.push(client !== null);
  observed.sockets.push(socket !== null);
  // Without dependencies, like a page that does not expect another connection.
  useEffect(() => subscribe('session-updated', (update) => observed.updates.push(update)), []);
  return <p>{[connected ? 'on' : 'off', connection.status, status, participants.length].join(' ')}</p>;
}

/** The first render, before the page is connected. */
export const FIRST_RENDER = '<p>off idle idle 0</p>';
