// The session in the control plane. It is read after every call and whenever a browser receives an event.

import { Store } from '../store';
import { call, type Outcome } from './bridge';
import type { JsonObject } from './json';
import type { GetSessionResponse, Participant } from './requests';

// Requests to read within this time are combined into one read.
const READ_DELAY_MS = 60;

export interface RecordedSession {
  readonly status: string;
  readonly participants: readonly Participant[];
  readonly attributes: JsonObject;
  readonly revision: string;
  readonly epoch: string;
  // The last offset of the session's log.
  readonly tail: number;
  // The users with pending feedback.
  readonly pendingFeedback: readonly string[];
}

export type RecordState =
  | { readonly status: 'loading' }
  | { readonly status: 'not-found' }
  | { readonly status: 'unreachable'; readonly message: string }
  | { readonly status: 'loaded'; readonly session: RecordedSession };

export class SessionRecord {
  readonly state = new Store<RecordState>({ status: 'loading' });
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reads = 0;

  constructor(readonly sessionId: string) {}

  scheduleRead(): void {
    this.#timer ??= setTimeout(() => void this.read(), READ_DELAY_MS);
  }

  // Reads the session. The result of an older read never replaces that of a newer one.
  async read(): Promise<RecordState> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const read = ++this.#reads;
    const state = stateOf(await call('GetSession', { sessionId: this.sessionId }));
    if (read === this.#reads && !isEqual(state, this.state.getSnapshot())) this.state.set(state);
    return state;
  }
}

function stateOf(outcome: Outcome): RecordState {
  if (outcome.ok) return { status: 'loaded', session: sessionOf(outcome.response as GetSessionResponse) };
  if (outcome.code === 'NOT_FOUND') return { status: 'not-found' };
  return { status: 'unreachable', message: outcome.message };
}

function sessionOf(response: GetSessionResponse): RecordedSession {
  return {
    status: response.session?.status ?? '',
    participants: response.session?.participants?.list ?? [],
    attributes: response.session?.attributes ?? {},
    revision: response.revision ?? '0',
    epoch: response.position?.epoch ?? '',
    tail: Number(response.position?.offset ?? 0),
    pendingFeedback: response.openFeedbackUserIds ?? [],
  };
}

function isEqual(one: RecordState, other: RecordState): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
