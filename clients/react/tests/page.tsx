import { useEffect } from 'react';
import { SocketProvider, useSession, useSocket, type SocketProviderProps } from '@roomcast/react';

/** What a page saw: in each of its renders, whether it had a connection, and a socket; and events. */
export interface Seen {
  readonly clients: boolean[];
  readonly sockets: boolean[];
  readonly updates: unknown[];
}

/** A whole page, as a server renders it and a browser hydrates it. */
export function Page({ seen, ...props }: SocketProviderProps & { seen: Seen }) {
  return (
    <SocketProvider {...props}>
      <Interview seen={seen} />
    </SocketProvider>
  );
}

function Interview({ seen }: { seen: Seen }) {
  const { client, connected, socket, subscribe } = useSocket({ events: { 'role-selected': () => {} } });
  const { status, participants, connection } = useSession('page');
  seen.clients.push(client !== null);
  seen.sockets.push(socket !== null);
  // As pages do that know nothing of another connection: once.
  useEffect(() => subscribe('session-updated', (update) => seen.updates.push(update)), []);
  return <p>{[connected ? 'on' : 'off', connection.status, status, participants.length].join(' ')}</p>;
}

/** What it shows before it can have connected. */
export const FIRST = '<p>off idle idle 0</p>';
