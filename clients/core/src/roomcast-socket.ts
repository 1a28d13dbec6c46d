import type { Socket } from 'socket.io-client';

import type { ClientToServerEvents, ServerToClientEvents } from './generated.js';

/** The socket of socket.io-client, with Roomcast's events as its types. */
export type RoomcastSocket = Socket<ServerToClientEvents, ClientToServerEvents>;
