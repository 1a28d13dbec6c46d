import type { ErrorCode, JsonObject, Participant, Role, Session } from './generated.js';

/** One feedback, assembled from the events that this page received. */
export interface FeedbackEntry {
  /** Every updated field with its latest value. */
  readonly updates: JsonObject;
  /** The feedback at its creation; `undefined` if this page did not receive that event. */
  readonly newFeedback: JsonObject | undefined;
  /** The time of the last change in UTC, such as `2025-05-08T01:20:00.000Z`. */
  readonly timestamp: string;
}

/** The data that a page has about a session. */
export interface SessionFacts {
  /** The current session; `undefined` until the first join succeeds. */
  readonly session: Session | undefined;
  /** The role of this page's user; `undefined` if the user is not a participant. */
  readonly role: Role | undefined;
  /** The participants of `session`. */
  readonly participants: readonly Participant[];
  /** Whether the user has pending feedback for the session. */
  readonly pendingFeedback: boolean;
  /** The feedback that this page received, by feedback id. */
  readonly feedback: Readonly<Record<string, FeedbackEntry>>;
  /** How often continuity was lost: events were missed, and `session` was replaced by its current state. */
  readonly resets: number;
  /** The last position, which `after` accepts. Opaque. */
  readonly position: string | undefined;
}

/** The membership of this page in a session. */
export type MembershipState =
  /** No part of the page holds the session. */
  | { readonly status: 'idle' }
  /** The join request has no response yet. */
  | { readonly status: 'joining' }
  /** In the session's room. Also while the connection is interrupted, because the client joins again by itself. */
  | { readonly status: 'joined' }
  /** The join was denied. Another `join()` sends a new request. */
  | { readonly status: 'denied'; readonly error: { readonly code: ErrorCode; readonly message: string } }
  /** The user is no longer a participant. Another `join()` sends a new request. */
  | { readonly status: 'revoked'; readonly reason: string };

/** The state of a session in this page. Each change creates a new object. */
export type SessionState = SessionFacts & MembershipState;
