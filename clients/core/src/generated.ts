// What browsers send and get. Written by scripts/generate.mjs from proto/roomcast/browser/v1/browser.proto: change
// that, and run `npm run generate`.

/** Any JSON. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
/** A JSON object. */
export interface JsonObject {
  [key: string]: JsonValue;
}

/** As what a user takes part in a session. */
export type Role =
  /** Asks the questions; one seat in a session. */
  | 'interviewer'
  /** Answers them; one seat in a session. */
  | 'interviewee'
  /** Watches; any number of seats. */
  | 'observer';
/** Every {@link Role}. */
export const roles = ['interviewer', 'interviewee', 'observer'] as const satisfies readonly Role[];

/** One who takes part in a session. */
export interface Participant {
  /** Who: an id. */
  userId: string;
  /** As what. */
  role: Role;
}

/**
 * An event from the server. Its payload is the first argument. The second one is the socket's cursor: an opaque
 * string that JoinOptions.after takes.
 */
export interface ServerToClientEvents {
  /** A session was created or replaced, or its status changed. */
  'session-updated': (payload: SessionUpdated, cursor: string) => void;
  /** A user selected a role. */
  'role-selected': (payload: RoleSelected, cursor: string) => void;
  /** This user owes feedback. Told when it becomes due, and again on every new connection while it is owed. */
  'feedback-required': (payload: FeedbackRequired, cursor: string) => void;
  /** Feedback was created or changed. */
  'feedback-updated': (payload: FeedbackUpdated, cursor: string) => void;
  /** This socket is in the session's room: it joined, or was resumed. */
  'session-joined': (payload: SessionJoined, cursor: string) => void;
  /** This user is no longer a participant, and the room is left. */
  'session-revoked': (payload: SessionRevoked, cursor: string) => void;
  /** Continuity could not be kept: events were missed. What follows comes after the position. */
  'session-reset': (payload: SessionReset, cursor: string) => void;
  /** A no to an event that asked for no acknowledgement. */
  'session-error': (payload: SessionErrorEvent, cursor: string) => void;
}
/** Every name of {@link ServerToClientEvents}. */
export const serverToClientEvents = [
  'session-updated',
  'role-selected',
  'feedback-required',
  'feedback-updated',
  'session-joined',
  'session-revoked',
  'session-reset',
  'session-error',
] as const satisfies readonly (keyof ServerToClientEvents)[];

/**
 * An event from the browser. Its arguments are the fields of its payload, one after the other; optional ones may be left
 * out. The last argument may be a function: it is given the acknowledgement, which is named after the event's verb
 * (JoinAnswer for join-session).
 */
export interface ClientToServerEvents {
  /** Subscribe to a session's events. */
  'join-session': (
    ...args:
      | [sessionId: string]
      | [sessionId: string, answer: (answer: JoinAnswer) => void]
      | [sessionId: string, options: JoinOptions]
      | [sessionId: string, options: JoinOptions, answer: (answer: JoinAnswer) => void]
  ) => void;
  /** Unsubscribe from them. */
  'leave-session': (
    ...args: [sessionId: string] | [sessionId: string, answer: (answer: LeaveAnswer) => void]
  ) => void;
  /** Show a new token of the same user before the old one expires. */
  'refresh-token': (
    ...args: [token: string] | [token: string, answer: (answer: RefreshAnswer) => void]
  ) => void;
}
/** Every name of {@link ClientToServerEvents}. */
export const clientToServerEvents = [
  'join-session',
  'leave-session',
  'refresh-token',
] as const satisfies readonly (keyof ClientToServerEvents)[];

/** A session as browsers see it: its attributes stand beside the other fields. */
export type Session<Attributes extends object = { [key: string]: unknown }> = {
  /** Which session: an id. */
  id: string;
  /** Where it stands, in the backend's own words. */
  status: string;
  /** Who takes part. */
  participants: Participant[];
} & Attributes;

/** A session was created or replaced, or its status changed. */
export interface SessionUpdated {
  /** Which session. */
  sessionId: string;
  /** The session after it. */
  session: Session;
}

/** A user selected a role. */
export interface RoleSelected {
  /** In which session. */
  sessionId: string;
  /** Who. */
  userId: string;
  /** As what they take part from now on. */
  role: Role;
}

/** This user owes feedback. */
export interface FeedbackRequired {
  /** For which session. */
  sessionId: string;
}

/** Feedback was created or changed. */
export interface FeedbackUpdated {
  /** For which session. */
  sessionId: string;
  /** Which feedback: an id. */
  feedbackId: string;
  /** The changed fields, with their new values. */
  updates: JsonObject;
  /** The new feedback, where one was created. */
  newFeedback?: JsonObject;
  /** When it changed, such as 2025-05-08T01:20:00.000Z. */
  timestamp: string;
}

/** This socket is in the session's room. */
export interface SessionJoined {
  /** Which session. */
  sessionId: string;
  /** As what the user takes part. */
  role: Role;
}

/** This user is no longer a participant. */
export interface SessionRevoked {
  /** Of which session. */
  sessionId: string;
  /** Why, as a code. */
  reason: string;
}

/** Continuity could not be kept. */
export interface SessionReset {
  /** Of which session. */
  sessionId: string;
  /** The session as it stands. */
  session: Session;
  /** The position at which it stands so: what JoinOptions.after takes. */
  position: string;
}

/** A no to an event that asked for no acknowledgement. */
export interface SessionErrorEvent {
  /** The session that the event spoke of; null where it spoke of none. */
  sessionId: string | null;
  /** Why not. */
  code: ErrorCode;
  /** Why not, for a developer. */
  message: string;
}

/** How to join. */
export interface JoinOptions {
  /**
   * The last position that the page has of the session: a cursor, or an acknowledgement's position. What came after it
   * follows the acknowledgement.
   */
  after?: string;
}

/** Acknowledges join-session. */
export type JoinAnswer =
  | {
      /** The socket is in the session's room. */
      ok: true;
      /** Which session. */
      sessionId: string;
      /** As what the user takes part. */
      role: Role;
      /** What follows comes after this position: what JoinOptions.after takes. */
      position: string;
      /** Whether `after` was given, and nothing is missed: what came after it follows. */
      recovered: boolean;
      /** The session as it stands, which is later than what follows, where `recovered`. */
      session: Session;
    }
  | {
      /** A no about a session. */
      ok: false;
      /** Which session; null where the event spoke of none. */
      sessionId: string | null;
      /** Why not. */
      error: Refusal;
    };

/** Acknowledges leave-session. */
export type LeaveAnswer =
  | {
      /** The socket is out of the session's room. */
      ok: true;
      /** Which session. */
      sessionId: string;
    }
  | {
      /** A no about a session. */
      ok: false;
      /** Which session; null where the event spoke of none. */
      sessionId: string | null;
      /** Why not. */
      error: Refusal;
    };

/** Acknowledges refresh-token. */
export type RefreshAnswer =
  | {
      /** The connection goes on with the new token. */
      ok: true;
      /** When that one expires. */
      expiresAt: string;
    }
  | {
      /** A no about a token. The old one stays until it expires. */
      ok: false;
      /** Why not. */
      error: Refusal;
    };

/** Why not. */
export interface Refusal {
  /** Which no it is. */
  code: ErrorCode;
  /** For a developer. */
  message: string;
}

/** Why an event is answered with no. */
export type ErrorCode =
  /** There is no such session. */
  | 'session_not_found'
  /** The session exists, and the user takes no part in it. */
  | 'not_a_participant'
  /** There is no such event, or its arguments are wrong. */
  | 'bad_request'
  /** Too many events at once: slow down. */
  | 'rate_limited'
  /** The socket is in as many sessions as it may be. */
  | 'too_many_sessions'
  /** It can't be known for the moment: try again. */
  | 'unavailable'
  /** The new token is empty. */
  | 'token_missing'
  /** The new token can't be verified, or is another user's. */
  | 'token_invalid'
  /** The new token has expired. */
  | 'token_expired';
/** Every {@link ErrorCode}. */
export const errorCodes = [
  'session_not_found',
  'not_a_participant',
  'bad_request',
  'rate_limited',
  'too_many_sessions',
  'unavailable',
  'token_missing',
  'token_invalid',
  'token_expired',
] as const satisfies readonly ErrorCode[];

/** Why a connection is refused: the message of connect_error. */
export type ConnectErrorCode =
  /** No token was shown. */
  | 'token_missing'
  /** The token can't be verified. */
  | 'token_invalid'
  /** The token has expired. */
  | 'token_expired';
/** Every {@link ConnectErrorCode}. */
export const connectErrorCodes = [
  'token_missing',
  'token_invalid',
  'token_expired',
] as const satisfies readonly ConnectErrorCode[];
