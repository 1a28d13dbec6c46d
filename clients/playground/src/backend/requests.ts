// The backend's calls, as proto JSON has them.

export type RoleName = 'ROLE_INTERVIEWER' | 'ROLE_INTERVIEWEE' | 'ROLE_OBSERVER';
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Fields = { readonly [key: string]: Json };

export interface Seat {
  readonly userId: string;
  readonly role: RoleName;
}

export interface SessionJson {
  readonly id: string;
  readonly status: string;
  readonly participants?: { readonly list?: readonly Seat[] };
  readonly attributes?: Fields;
}

export interface Requests {
  PublishSessionUpdate: { session: SessionJson; expectedRevision?: string; requestId?: string };
  SelectRole: { sessionId: string; userId: string; role: RoleName; requestId?: string };
  RequireFeedback: { sessionId: string; userIds?: readonly string[]; requestId?: string };
  UpdateFeedback: {
    sessionId: string;
    feedbackId: string;
    authorId?: string;
    updates?: Fields;
    newFeedback?: Fields;
    requestId?: string;
  };
  RemoveParticipant: { sessionId: string; userId: string; requestId?: string };
  DisconnectUser: { userId: string; reason?: string };
  GetSession: { sessionId: string };
  AuthorizeJoin: { sessionId: string; userId: string };
}

export type Method = keyof Requests;
export type Request = Requests[Method];

export interface GetSessionAnswer {
  readonly session?: SessionJson;
  readonly revision?: string;
  readonly position?: { readonly epoch: string; readonly offset?: string };
  readonly openFeedbackUserIds?: readonly string[];
}

export const ROLE_NAMES: readonly RoleName[] = ['ROLE_INTERVIEWER', 'ROLE_INTERVIEWEE', 'ROLE_OBSERVER'];

// The word that browsers see.
export function roleWord(name: RoleName): 'interviewer' | 'interviewee' | 'observer' {
  switch (name) {
    case 'ROLE_INTERVIEWER':
      return 'interviewer';
    case 'ROLE_INTERVIEWEE':
      return 'interviewee';
    case 'ROLE_OBSERVER':
      return 'observer';
  }
}
