import type { SessionState } from './session-state.js';

/** An observable session, made for React's `useSyncExternalStore`. */
export interface SessionView {
  /** Calls the listener after each change. The returned function removes the listener. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Returns the current state. It is a new object only if something changed. */
  readonly getSnapshot: () => SessionState;
  /** Marks the feedback as submitted: `pendingFeedback` is false until the next reminder. */
  settleFeedback(): void;
}
