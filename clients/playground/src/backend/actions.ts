// The forms of the backend's calls: the fields of each form, and the request that they define.

import {
  mapDefined,
  optionalId,
  optionalIds,
  optionalJson,
  optionalParticipants,
  optionalText,
  requestId,
  requiredId,
  requiredText,
  type Draft,
} from './draft';
import type { Method, Request, RoleName } from './requests';
import type { RecordState } from './session-record';

export type FieldKind = 'id' | 'text' | 'role' | 'ids' | 'json' | 'participants';

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly kind: FieldKind;
  readonly optional?: boolean;
  readonly help?: string;
}

export interface Action {
  readonly method: Method;
  readonly label: string;
  readonly description: string;
  readonly fields: readonly Field[];
  readonly initialDraft: (session: string, record: RecordState) => Draft;
  // Throws a FieldError if a field is invalid.
  readonly request: (draft: Draft) => Request;
}

const SESSION: Field = { name: 'session', label: 'Session', kind: 'id' };
const USER: Field = { name: 'user', label: 'User', kind: 'id' };
const REQUEST_ID: Field = {
  name: 'requestId',
  label: 'Request id',
  kind: 'text',
  optional: true,
  help: 'A repeated call with the same id has no second effect.',
};

const PUBLISH_SESSION_UPDATE: Action = {
  method: 'PublishSessionUpdate',
  label: 'Publish',
  description: 'Creates or replaces the session. Browsers receive session-updated.',
  fields: [
    SESSION,
    { name: 'status', label: 'Status', kind: 'text' },
    {
      name: 'participants',
      label: 'Participants',
      kind: 'participants',
      optional: true,
      help: 'One user and role per line. Empty: unchanged.',
    },
    { name: 'attributes', label: 'Attributes', kind: 'json', optional: true },
    REQUEST_ID,
  ],
  initialDraft: (session, record) => ({
    session,
    status: record.status === 'loaded' ? record.session.status : 'scheduled',
    attributes: record.status === 'loaded' ? JSON.stringify(record.session.attributes) : '{}',
  }),
  request: (draft) => ({
    session: {
      id: requiredId(draft, 'session'),
      status: requiredText(draft, 'status'),
      ...mapDefined(optionalParticipants(draft, 'participants'), (list) => ({ participants: { list } })),
      ...mapDefined(optionalJson(draft, 'attributes'), (attributes) => ({ attributes })),
    },
    ...requestId(draft),
  }),
};

const SELECT_ROLE: Action = {
  method: 'SelectRole',
  label: 'Select role',
  description: 'Makes the user a participant in a role. Browsers receive role-selected.',
  fields: [SESSION, USER, { name: 'role', label: 'Role', kind: 'role' }, REQUEST_ID],
  initialDraft: (session) => ({ session, user: 'dave', role: 'ROLE_OBSERVER' }),
  request: (draft) => ({
    sessionId: requiredId(draft, 'session'),
    userId: requiredId(draft, 'user'),
    role: requiredText(draft, 'role') as RoleName,
    ...requestId(draft),
  }),
};

const REQUIRE_FEEDBACK: Action = {
  method: 'RequireFeedback',
  label: 'Require feedback',
  description:
    'Makes feedback pending. The users’ browsers receive feedback-required, and again on every new connection.',
  fields: [
    SESSION,
    {
      name: 'users',
      label: 'Users',
      kind: 'ids',
      optional: true,
      help: 'Separated by commas. Empty: every participant.',
    },
    REQUEST_ID,
  ],
  initialDraft: (session) => ({ session }),
  request: (draft) => ({
    sessionId: requiredId(draft, 'session'),
    ...mapDefined(optionalIds(draft, 'users'), (userIds) => ({ userIds })),
    ...requestId(draft),
  }),
};

const UPDATE_FEEDBACK: Action = {
  method: 'UpdateFeedback',
  label: 'Update feedback',
  description: 'Publishes created or changed feedback. Browsers receive feedback-updated.',
  fields: [
    SESSION,
    { name: 'feedback', label: 'Feedback', kind: 'id' },
    {
      name: 'author',
      label: 'Author',
      kind: 'id',
      optional: true,
      help: 'The pending feedback of this user is settled.',
    },
    { name: 'updates', label: 'Updates', kind: 'json', optional: true },
    { name: 'newFeedback', label: 'New feedback', kind: 'json', optional: true },
    REQUEST_ID,
  ],
  initialDraft: (session) => ({ session, feedback: 'f1', author: 'alice', updates: '{"score":5}' }),
  request: (draft) => ({
    sessionId: requiredId(draft, 'session'),
    feedbackId: requiredId(draft, 'feedback'),
    ...mapDefined(optionalId(draft, 'author'), (authorId) => ({ authorId })),
    ...mapDefined(optionalJson(draft, 'updates'), (updates) => ({ updates })),
    ...mapDefined(optionalJson(draft, 'newFeedback'), (newFeedback) => ({ newFeedback })),
    ...requestId(draft),
  }),
};

const REMOVE_PARTICIPANT: Action = {
  method: 'RemoveParticipant',
  label: 'Remove',
  description:
    'Removes a user from the session. The user’s browsers leave the room immediately and receive session-revoked.',
  fields: [SESSION, USER, REQUEST_ID],
  initialDraft: (session) => ({ session, user: 'carol' }),
  request: (draft) => ({
    sessionId: requiredId(draft, 'session'),
    userId: requiredId(draft, 'user'),
    ...requestId(draft),
  }),
};

const DISCONNECT_USER: Action = {
  method: 'DisconnectUser',
  label: 'Disconnect',
  description: 'Closes every connection of a user on every edge.',
  fields: [USER, { name: 'reason', label: 'Reason', kind: 'text', optional: true, help: 'For the logs.' }],
  initialDraft: () => ({ user: 'carol' }),
  request: (draft) => ({
    userId: requiredId(draft, 'user'),
    ...mapDefined(optionalText(draft, 'reason'), (reason) => ({ reason })),
  }),
};

const GET_SESSION: Action = {
  method: 'GetSession',
  label: 'Get session',
  description: 'Returns the current state of the session.',
  fields: [SESSION],
  initialDraft: (session) => ({ session }),
  request: (draft) => ({ sessionId: requiredId(draft, 'session') }),
};

const AUTHORIZE_JOIN: Action = {
  method: 'AuthorizeJoin',
  label: 'Authorize join',
  description: 'Returns whether a user may join. A denial is a response, not an error.',
  fields: [SESSION, USER],
  initialDraft: (session) => ({ session, user: 'mallory' }),
  request: (draft) => ({ sessionId: requiredId(draft, 'session'), userId: requiredId(draft, 'user') }),
};

export const ACTIONS: readonly Action[] = [
  PUBLISH_SESSION_UPDATE,
  SELECT_ROLE,
  REQUIRE_FEEDBACK,
  UPDATE_FEEDBACK,
  REMOVE_PARTICIPANT,
  DISCONNECT_USER,
  GET_SESSION,
  AUTHORIZE_JOIN,
];
