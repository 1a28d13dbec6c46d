export type { ConnectionState } from './connection-state.js';
export * from './generated.js';
export type { PositionStorage, RoomcastOptions } from './options.js';
export { createRoomcast, type Roomcast, type RoomcastSocket } from './roomcast.js';
export type { FeedbackEntry, SessionFacts, SessionState, SessionView } from './session-state.js';
export { userOf } from './token.js';
