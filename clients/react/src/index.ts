'use client';

/**
 * Roomcast for React: a provider that connects, and hooks over the state that `@roomcast/core` keeps.
 *
 * @packageDocumentation
 */
export { SocketContext, type SocketContextValue } from './socket-context.js';
export type { EventHandler, EventHandlers, EventName } from './use-events.js';
export { SocketProvider, type SocketProviderProps } from './socket-provider.js';
export type { Subscribe, Unsubscribe } from './subscriptions.js';
export { useSession, type UseSession } from './use-session.js';
export { useSocket, type UseSocket, type UseSocketOptions } from './use-socket.js';
