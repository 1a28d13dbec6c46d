import { covers, type Position } from './session-cursor.js';
import type { JoinAnswer, Participant, RoleSelected, ServerToClientEvents, Session } from './generated.js';
import type { FeedbackEntry, SessionFacts, SessionState, SessionView } from './session-state.js';
import { Watchers } from './listeners.js';

/** An event from the server, by its name. */
export type ServerEvent = {
  [E in keyof ServerToClientEvents]: {
    readonly name: E;
    readonly payload: Parameters<ServerToClientEvents[E]>[0];
  };
}[keyof ServerToClientEvents];

/** A {@link SessionState} without its facts. */
export type Standing = SessionState extends infer S
  ? S extends SessionState
    ? Omit<S, keyof SessionFacts>
    : never
  : never;

type Joined = Extract<JoinAnswer, { ok: true }>;

const NOTHING: SessionFacts = {
  session: undefined,
  role: undefined,
  participants: [],
  feedbackDue: false,
  feedback: {},
  resets: 0,
  position: undefined,
};

/** What a page knows of one session: a fold over answers and events, which never goes back in time. */
export class SessionBook implements SessionView {
  /** The last position of which everything was seen. */
  seen: Position | undefined;
  /** The user was reminded of feedback on this connection. */
  isReminded = false;
  readonly #user: () => string | undefined;
  readonly #watchers = new Watchers();
  #facts = NOTHING;
  #standing: Standing = { status: 'idle' };
  #state: SessionState = { ...NOTHING, status: 'idle' };
  /**
   * The session is as of a later position than `seen`, and it is not known which: what it is told of the session until
   * it is `settled` is in it already.
   */
  #isAhead = false;

  constructor(user: () => string | undefined) {
    this.#user = user;
  }

  get state(): SessionState {
    return this.#state;
  }

  onState(listener: () => void): () => void {
    return this.#watchers.add(listener);
  }

  settleFeedback(): void {
    this.#note({ feedbackDue: false });
  }

  stand(standing: Standing): void {
    this.#note({}, standing);
  }

  /** Forgets everything, but for what is owed where the user is the same. */
  forget(standing: Standing, { feedbackDue }: { feedbackDue: boolean }): void {
    this.seen = undefined;
    this.#isAhead = false;
    this.#note({ ...NOTHING, feedbackDue }, standing);
  }

  /** Forgets where it was, so that the next answer is a beginning. */
  forgetPosition(): void {
    this.seen = undefined;
    this.#note({ position: undefined });
  }

  /** Begins at a position that was kept, without knowing the session. */
  startAt(position: Position): void {
    this.seen = position;
    this.#note({ position: position.text });
  }

  /** An answer to a join. `isAhead`: events that are older than its session follow. `isReset`: some never will. */
  joined(
    answer: Joined,
    position: Position,
    { isAhead, isReset }: { isAhead: boolean; isReset: boolean },
  ): void {
    if (!answer.recovered || !covers(this.seen, position)) this.seen = position;
    this.#isAhead = isAhead;
    const facts = { ...this.#of(answer.session, answer.role), position: this.seen?.text };
    const resets = this.#facts.resets + (isReset ? 1 : 0);
    this.#note({ ...facts, resets }, { status: 'joined' });
  }

  /** Takes an event of this session; whether it is new. */
  take(event: ServerEvent, position: Position | undefined): boolean {
    switch (event.name) {
      case 'session-updated':
      case 'role-selected':
      case 'feedback-updated':
        if (position !== undefined && covers(this.seen, position)) return false;
        this.seen = position ?? this.seen;
        this.#note({ ...this.#told(event), position: this.seen?.text });
        return true;
      case 'feedback-required':
        this.isReminded = true;
        this.#note({ feedbackDue: true });
        return true;
      case 'session-joined':
        this.#note({ role: this.#roleIn(this.#facts.participants) ?? event.payload.role });
        return true;
      case 'session-revoked':
        this.#isAhead = false;
        this.seen = undefined;
        this.#note(
          { role: undefined, position: undefined },
          { status: 'revoked', reason: event.payload.reason },
        );
        return true;
      case 'session-reset':
        this.seen = position;
        this.#isAhead = false;
        this.#note(
          { ...this.#of(event.payload.session), position: position?.text, resets: this.#facts.resets + 1 },
          { status: 'joined' },
        );
        return true;
      case 'session-error':
        return true;
    }
  }

  #told(event: ServerEvent): Partial<SessionFacts> {
    if (event.name === 'feedback-updated') {
      const { feedbackId, updates, newFeedback, timestamp } = event.payload;
      const known: FeedbackEntry | undefined = this.#facts.feedback[feedbackId];
      const entry = {
        updates: { ...known?.updates, ...updates },
        newFeedback: newFeedback ?? known?.newFeedback,
        timestamp,
      };
      const user = this.#user();
      const isOurs =
        user !== undefined && [updates, newFeedback].some((fields) => fields?.['authorId'] === user);
      const feedback = { ...this.#facts.feedback, [feedbackId]: entry };
      return { feedback, feedbackDue: this.#facts.feedbackDue && !isOurs };
    }
    if (this.#isAhead) return {};
    if (event.name === 'session-updated') return this.#of(event.payload.session);
    const { session } = this.#facts;
    if (event.name !== 'role-selected' || session === undefined) return {};
    return this.#of({ ...session, participants: withRole(session.participants, event.payload) });
  }

  /** `role` is for where the participants do not tell it, since the token does not tell the user. */
  #of(session: Session, role = this.#facts.role): Partial<SessionFacts> {
    const { participants } = session;
    return { session, participants, role: this.#roleIn(participants) ?? role };
  }

  #roleIn(participants: readonly Participant[]) {
    const user = this.#user();
    return participants.find(({ userId }) => userId === user)?.role;
  }

  #note(facts: Partial<SessionFacts>, standing: Standing = this.#standing): void {
    const keys = Object.keys(facts) as (keyof SessionFacts)[];
    if (standing === this.#standing && keys.every((key) => Object.is(facts[key], this.#facts[key]))) return;
    this.#facts = { ...this.#facts, ...facts };
    this.#standing = standing;
    this.#state = { ...this.#facts, ...standing } as SessionState;
    this.#watchers.tell();
  }
}

function withRole(participants: Participant[], { userId, role }: RoleSelected): Participant[] {
  const chosen = { userId, role };
  const isKnown = participants.some((participant) => participant.userId === userId);
  if (!isKnown) return [...participants, chosen];
  return participants.map((participant) => (participant.userId === userId ? chosen : participant));
}
