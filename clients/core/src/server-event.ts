import type { ServerToClientEvents } from './generated.js';

/** An event from the server, as a union that `name` distinguishes. */
export type ServerEvent = {
  [E in keyof ServerToClientEvents]: {
    readonly name: E;
    readonly payload: Parameters<ServerToClientEvents[E]>[0];
  };
}[keyof ServerToClientEvents];
