import type { JoinResponse, Participant, RoleSelected, Session } from './generated.js';
import { Listeners } from './listeners.js';
import type { ServerEvent } from './server-event.js';
import { covers, type SessionCursor } from './session-cursor.js';
import type { FeedbackEntry, MembershipState, SessionFacts, SessionState } from './session-state.js';
import type { SessionView } from './session-view.js';

type Joined = Extract<JoinResponse, { ok: true }>;
type FeedbackUpdate = Extract<ServerEvent, { name: 'feedback-updated' }>;
type SessionChange = Extract<ServerEvent, { name: 'session-updated' | 'role-selected' }>;

const NO_FACTS: SessionFacts = {
  session: undefined,
  role: undefined,
  participants: [],
  pendingFeedback: false,
  feedback: {},
  resets: 0,
  position: undefined,
};

/** The state of one session in a page, computed from responses and events. Its session never goes back in time. */
export class SessionStore implements SessionView {
  /** The cursor up to which this page has received every event (inclusive). */
  seen: SessionCursor | undefined;
  /** Whether the server reminded the user of pending feedback on the current connection. */
  wasReminded = false;
  readonly #user: () => string | undefined;
  readonly #listeners = new Listeners();
  #facts = NO_FACTS;
  #membership: MembershipState = { status: 'idle' };
  #state: SessionState = { ...NO_FACTS, status: 'idle' };
  /** The session is newer than `seen` by an unknown number of events, which therefore must not change it. */
  #isAheadOfReplay = false;

  constructor(user: () => string | undefined) {
    this.#user = user;
  }

  readonly getSnapshot = (): SessionState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

  settleFeedback(): void {
    this.#update({ pendingFeedback: false });
  }

  setMembership(membership: MembershipState): void {
    this.#update({}, membership);
  }

  /** Removes all facts except pending feedback, which the caller keeps if the user is the same. */
  clear(membership: MembershipState, { pendingFeedback }: { pendingFeedback: boolean }): void {
    this.seen = undefined;
    this.#isAheadOfReplay = false;
    this.#update({ ...NO_FACTS, pendingFeedback }, membership);
  }

  /** Removes the position, so that the next join has no replay. */
  clearPosition(): void {
    this.seen = undefined;
    this.#update({ position: undefined });
  }

  /** Starts at a saved position, without a session. */
  startAt(cursor: SessionCursor): void {
    this.seen = cursor;
    this.#update({ position: cursor.text });
  }

  /** Applies a join. `isAhead`: events older than its session follow. `isReset`: some events never arrive. */
  joined(
    response: Joined,
    cursor: SessionCursor,
    { isAhead, isReset }: { isAhead: boolean; isReset: boolean },
  ): void {
    if (!response.recovered || !covers(this.seen, cursor)) this.seen = cursor;
    this.#isAheadOfReplay = isAhead;
    const facts = { ...this.#factsOf(response.session, response.role), position: this.seen?.text };
    const resets = this.#facts.resets + (isReset ? 1 : 0);
    this.#update({ ...facts, resets }, { status: 'joined' });
  }

  /** Applies an event of this session. Returns whether the event is new. */
  apply(event: ServerEvent, cursor: SessionCursor | undefined): boolean {
    switch (event.name) {
      case 'session-updated':
      case 'role-selected':
      case 'feedback-updated':
        return this.#applyLogged(event, cursor);
      case 'feedback-required':
        this.wasReminded = true;
        this.#update({ pendingFeedback: true });
        return true;
      case 'session-joined':
        this.#update({ role: this.#roleIn(this.#facts.participants) ?? event.payload.role });
        return true;
      case 'session-revoked':
        this.#isAheadOfReplay = false;
        this.seen = undefined;
        this.#update(
          { role: undefined, position: undefined },
          { status: 'revoked', reason: event.payload.reason },
        );
        return true;
      case 'session-reset':
        this.#reset(event.payload.session, cursor);
        return true;
      case 'session-error':
        return true;
    }
  }

  #applyLogged(event: SessionChange | FeedbackUpdate, cursor: SessionCursor | undefined): boolean {
    if (cursor !== undefined && covers(this.seen, cursor)) return false;
    this.seen = cursor ?? this.seen;
    const facts = event.name === 'feedback-updated' ? this.#feedbackAfter(event) : this.#sessionAfter(event);
    this.#update({ ...facts, position: this.seen?.text });
    return true;
  }

  #feedbackAfter({ payload }: FeedbackUpdate): Partial<SessionFacts> {
    const { feedbackId, updates, newFeedback, timestamp } = payload;
    const previous: FeedbackEntry | undefined = this.#facts.feedback[feedbackId];
    const entry = {
      updates: { ...previous?.updates, ...updates },
      newFeedback: newFeedback ?? previous?.newFeedback,
      timestamp,
    };
    const user = this.#user();
    const isAuthor =
      user !== undefined && [updates, newFeedback].some((fields) => fields?.['authorId'] === user);
    const feedback = { ...this.#facts.feedback, [feedbackId]: entry };
    return { feedback, pendingFeedback: this.#facts.pendingFeedback && !isAuthor };
  }

  #sessionAfter(event: SessionChange): Partial<SessionFacts> {
    if (this.#isAheadOfReplay) return {};
    if (event.name === 'session-updated') return this.#factsOf(event.payload.session);
    const { session } = this.#facts;
    if (session === undefined) return {};
    return this.#factsOf({ ...session, participants: withRole(session.participants, event.payload) });
  }

  #reset(session: Session, cursor: SessionCursor | undefined): void {
    this.seen = cursor;
    this.#isAheadOfReplay = false;
    const facts = { ...this.#factsOf(session), position: cursor?.text, resets: this.#facts.resets + 1 };
    this.#update(facts, { status: 'joined' });
  }

  /** `role` is used if the participants do not show the role, because the token does not contain the user. */
  #factsOf(session: Session, role = this.#facts.role): Partial<SessionFacts> {
    const { participants } = session;
    return { session, participants, role: this.#roleIn(participants) ?? role };
  }

  #roleIn(participants: readonly Participant[]) {
    const user = this.#user();
    return participants.find(({ userId }) => userId === user)?.role;
  }

  #update(facts: Partial<SessionFacts>, membership: MembershipState = this.#membership): void {
    const keys = Object.keys(facts) as (keyof SessionFacts)[];
    const isUnchanged = keys.every((key) => Object.is(facts[key], this.#facts[key]));
    if (membership === this.#membership && isUnchanged) return;
    this.#facts = { ...this.#facts, ...facts };
    this.#membership = membership;
    this.#state = { ...this.#facts, ...membership };
    this.#listeners.notify();
  }
}

function withRole(participants: Participant[], { userId, role }: RoleSelected): Participant[] {
  const selected = { userId, role };
  const isParticipant = participants.some((participant) => participant.userId === userId);
  if (!isParticipant) return [...participants, selected];
  return participants.map((participant) => (participant.userId === userId ? selected : participant));
}
