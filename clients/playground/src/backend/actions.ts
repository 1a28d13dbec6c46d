// The forms of the backend's calls: which fields each has, and the request that they make.

import type { Method, Request, RoleName } from './requests';
import { id, ids, json, optionalId, optionalWord, requestId, seats, some, word, type Draft } from './draft';
import type { Known } from './session-record';

export type FieldKind = 'id' | 'word' | 'role' | 'ids' | 'json' | 'seats';

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly kind: FieldKind;
  readonly optional?: boolean;
  readonly hint?: string;
}

export interface Action {
  readonly method: Method;
  readonly label: string;
  readonly what: string;
  readonly fields: readonly Field[];
  readonly start: (session: string, known: Known) => Draft;
  readonly request: (draft: Draft) => Request;
}

const SESSION: Field = { name: 'session', label: 'Session', kind: 'id' };
const USER: Field = { name: 'user', label: 'User', kind: 'id' };
const REQUEST_ID: Field = {
  name: 'requestId',
  label: 'Request id',
  kind: 'word',
  optional: true,
  hint: 'The same again has no second effect.',
};

export const ACTIONS: readonly Action[] = [
  {
    method: 'PublishSessionUpdate',
    label: 'Publish',
    what: 'Creates or replaces the session; browsers get session-updated.',
    fields: [
      SESSION,
      { name: 'status', label: 'Status', kind: 'word' },
      {
        name: 'seats',
        label: 'Participants',
        kind: 'seats',
        optional: true,
        hint: 'user role, one a line. Empty: as they are.',
      },
      { name: 'attributes', label: 'Attributes', kind: 'json', optional: true },
      REQUEST_ID,
    ],
    start: (session, known) => ({
      session,
      status: known.state === 'known' ? known.status : 'scheduled',
      attributes: known.state === 'known' ? JSON.stringify(known.attributes) : '{}',
    }),
    request: (draft) => ({
      session: {
        id: id(draft, 'session'),
        status: word(draft, 'status'),
        ...some(seats(draft, 'seats'), (list) => ({ participants: { list } })),
        ...some(json(draft, 'attributes'), (attributes) => ({ attributes })),
      },
      ...requestId(draft),
    }),
  },
  {
    method: 'SelectRole',
    label: 'Select role',
    what: 'Lets a user take part in a role; browsers get role-selected.',
    fields: [SESSION, USER, { name: 'role', label: 'Role', kind: 'role' }, REQUEST_ID],
    start: (session) => ({ session, user: 'dave', role: 'ROLE_OBSERVER' }),
    request: (draft) => ({
      sessionId: id(draft, 'session'),
      userId: id(draft, 'user'),
      role: word(draft, 'role') as RoleName,
      ...requestId(draft),
    }),
  },
  {
    method: 'RequireFeedback',
    label: 'Require feedback',
    what: 'Makes users owe feedback; theirs get feedback-required, on every new connection too.',
    fields: [
      SESSION,
      {
        name: 'users',
        label: 'Users',
        kind: 'ids',
        optional: true,
        hint: 'With commas between. Empty: every participant.',
      },
      REQUEST_ID,
    ],
    start: (session) => ({ session }),
    request: (draft) => ({
      sessionId: id(draft, 'session'),
      ...some(ids(draft, 'users'), (userIds) => ({ userIds })),
      ...requestId(draft),
    }),
  },
  {
    method: 'UpdateFeedback',
    label: 'Update feedback',
    what: 'Tells that feedback was created or changed; browsers get feedback-updated.',
    fields: [
      SESSION,
      { name: 'feedback', label: 'Feedback', kind: 'id' },
      { name: 'author', label: 'Author', kind: 'id', optional: true, hint: 'Owes it no more.' },
      { name: 'updates', label: 'Updates', kind: 'json', optional: true },
      { name: 'created', label: 'New feedback', kind: 'json', optional: true },
      REQUEST_ID,
    ],
    start: (session) => ({ session, feedback: 'f1', author: 'alice', updates: '{"score":5}' }),
    request: (draft) => ({
      sessionId: id(draft, 'session'),
      feedbackId: id(draft, 'feedback'),
      ...some(optionalId(draft, 'author'), (authorId) => ({ authorId })),
      ...some(json(draft, 'updates'), (updates) => ({ updates })),
      ...some(json(draft, 'created'), (newFeedback) => ({ newFeedback })),
      ...requestId(draft),
    }),
  },
  {
    method: 'RemoveParticipant',
    label: 'Remove',
    what: 'Takes a user out; their browsers leave the room at once and get session-revoked.',
    fields: [SESSION, USER, REQUEST_ID],
    start: (session) => ({ session, user: 'carol' }),
    request: (draft) => ({ sessionId: id(draft, 'session'), userId: id(draft, 'user'), ...requestId(draft) }),
  },
  {
    method: 'DisconnectUser',
    label: 'Disconnect',
    what: 'Closes every connection of a user, on every edge.',
    fields: [USER, { name: 'reason', label: 'Reason', kind: 'word', optional: true, hint: 'For the logs.' }],
    start: () => ({ user: 'carol' }),
    request: (draft) => ({
      userId: id(draft, 'user'),
      ...some(optionalWord(draft, 'reason'), (reason) => ({ reason })),
    }),
  },
  {
    method: 'GetSession',
    label: 'Get session',
    what: 'Reads the session as it stands.',
    fields: [SESSION],
    start: (session) => ({ session }),
    request: (draft) => ({ sessionId: id(draft, 'session') }),
  },
  {
    method: 'AuthorizeJoin',
    label: 'Authorize join',
    what: 'Asks whether a user may join. A plain no is an answer.',
    fields: [SESSION, USER],
    start: (session) => ({ session, user: 'mallory' }),
    request: (draft) => ({ sessionId: id(draft, 'session'), userId: id(draft, 'user') }),
  },
];
