'use client';

/**
 * Roomcast for React: a provider that connects, and hooks over the state of `@roomcast/core`.
 *
 * @packageDocumentation
 */
export type { ConnectionProps } from './connection-props.js';
export type { EventHandler, EventHandlers, EventName } from './event-handlers.js';
export { SocketContext, type SocketContextValue } from './socket-context.js';
export { SocketProvider, type SocketProviderProps } from './socket-provider.js';
export type { Subscribe, Unsubscribe } from './subscriptions.js';
export { useSession, type UseSessionResult } from './use-session.js';
export { useSocket, type UseSocketOptions, type UseSocketResult } from './use-socket.js';
