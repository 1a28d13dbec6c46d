import type { ErrorCode, JsonObject, Participant, Role, Session } from './generated.js';

/** What is known of one piece of feedback, from the events that this page saw. */
export interface FeedbackEntry {
  /** Every field that was updated, with its newest value. */
  readonly updates: JsonObject;
  /** The feedback as it was created; `undefined` where this page did not see that. */
  readonly newFeedback: JsonObject | undefined;
  /** When it changed last, such as `2025-05-08T01:20:00.000Z`. */
  readonly timestamp: string;
}

/** What a page knows of a session. */
export interface SessionFacts {
  /** The session as it stands; `undefined` until the first answer. */
  readonly session: Session | undefined;
  /** As what this user takes part. */
  readonly role: Role | undefined;
  /** Who takes part. */
  readonly participants: readonly Participant[];
  /** This user was reminded of feedback that is owed for the session, and has not given it yet. */
  readonly feedbackDue: boolean;
  /** The feedback that this page was told of, by its id. */
  readonly feedback: Readonly<Record<string, FeedbackEntry>>;
  /** How often continuity could not be kept: events were missed, and `session` was replaced by what it is. */
  readonly resets: number;
  /** The last position: what `after` takes. Opaque. */
  readonly position: string | undefined;
}

/** Where this page stands with a session. Each change is a new object. */
export type SessionState = SessionFacts &
  (
    | /** Nobody holds it. */ { readonly status: 'idle' }
    | /** Asked for, and not answered yet. */ { readonly status: 'joining' }
    | /** In its room; also while the connection is away, since it is joined again by itself. */ {
        readonly status: 'joined';
      }
    | /** A no that is final. Another `join()` asks again. */ {
        readonly status: 'denied';
        readonly error: { readonly code: ErrorCode; readonly message: string };
      }
    | /** Not a participant any more. Another `join()` asks again. */ {
        readonly status: 'revoked';
        readonly reason: string;
      }
  );

/** What is known of one session, to be watched. */
export interface SessionView {
  /** A snapshot: a new object on change only. */
  readonly state: SessionState;
  /** Calls the listener after each change; the function that it gives ends that. */
  onState(listener: () => void): () => void;
  /** The user has given the feedback: `feedbackDue` is false until the next reminder. */
  settleFeedback(): void;
}
