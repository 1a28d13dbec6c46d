// The requests and responses of SessionService as proto JSON.

import type { JsonObject } from './json';

export type RoleName = 'ROLE_INTERVIEWER' | 'ROLE_INTERVIEWEE' | 'ROLE_OBSERVER';

export interface Participant {
  readonly userId: string;
  readonly role: RoleName;
}

export interface SessionJson {
  readonly id: string;
  readonly status: string;
  readonly participants?: { readonly list?: readonly Participant[] };
  readonly attributes?: JsonObject;
}

export interface Requests {
  PublishSessionUpdate: { session: SessionJson; expectedRevision?: string; requestId?: string };
  SelectRole: { sessionId: string; userId: string; role: RoleName; requestId?: string };
  RequireFeedback: { sessionId: string; userIds?: readonly string[]; requestId?: string };
  UpdateFeedback: {
    sessionId: string;
    feedbackId: string;
    authorId?: string;
    updates?: JsonObject;
    newFeedback?: JsonObject;
    requestId?: string;
  };
  RemoveParticipant: { sessionId: string; userId: string; requestId?: string };
  DisconnectUser: { userId: string; reason?: string };
  GetSession: { sessionId: string };
  AuthorizeJoin: { sessionId: string; userId: string };
}

export type Method = keyof Requests;
export type Request = Requests[Method];

export interface GetSessionResponse {
  readonly session?: SessionJson;
  readonly revision?: string;
  readonly position?: { readonly epoch: string; readonly offset?: string };
  readonly openFeedbackUserIds?: readonly string[];
}

export const ROLE_NAMES: readonly RoleName[] = ['ROLE_INTERVIEWER', 'ROLE_INTERVIEWEE', 'ROLE_OBSERVER'];

// The role as browsers receive it.
export function browserRole(name: RoleName): 'interviewer' | 'interviewee' | 'observer' {
  switch (name) {
    case 'ROLE_INTERVIEWER':
      return 'interviewer';
    case 'ROLE_INTERVIEWEE':
      return 'interviewee';
    case 'ROLE_OBSERVER':
      return 'observer';
  }
}
