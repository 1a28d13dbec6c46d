export type { ConnectionState } from './connection-state.js';
export * from './generated.js';
export type { PositionStorage, RoomcastOptions } from './roomcast-options.js';
export { createRoomcast, type Roomcast, type RoomcastSocket } from './create-roomcast.js';
export type { FeedbackEntry, SessionFacts, SessionState, SessionView } from './session-state.js';
export { userOf } from './token-claims.js';
