// The session as the control plane has it: read after every call and whenever a browser is told something.

import { Store } from '../store';
import { call } from './bridge';
import type { Fields, GetSessionAnswer, Seat } from './requests';

// Everything that comes within it leads to one read.
const SETTLE_MS = 60;

export interface SessionFacts {
  readonly status: string;
  readonly seats: readonly Seat[];
  readonly attributes: Fields;
  readonly revision: string;
  readonly epoch: string;
  readonly tail: number;
  readonly owing: readonly string[];
}

export type Known =
  | { readonly state: 'unread' }
  | { readonly state: 'missing' }
  | { readonly state: 'unreachable'; readonly why: string }
  | ({ readonly state: 'known' } & SessionFacts);

export class SessionRecord {
  readonly known = new Store<Known>({ state: 'unread' });
  #due: ReturnType<typeof setTimeout> | undefined;
  #reads = 0;

  constructor(readonly session: string) {}

  // Reads it soon.
  touch(): void {
    this.#due ??= setTimeout(() => void this.read(), SETTLE_MS);
  }

  // Reads it, and gives the log's tail where there is one. An older read never replaces a newer one.
  async read(): Promise<{ epoch: string; tail: number } | undefined> {
    clearTimeout(this.#due);
    this.#due = undefined;
    const mine = ++this.#reads;
    const outcome = await call('GetSession', { sessionId: this.session });
    const known: Known = outcome.ok
      ? factsOf(outcome.answer as GetSessionAnswer)
      : outcome.code === 'NOT_FOUND'
        ? { state: 'missing' }
        : { state: 'unreachable', why: outcome.message };
    if (mine === this.#reads && !same(known, this.known.read())) this.known.set(known);
    return known.state === 'known' ? { epoch: known.epoch, tail: known.tail } : undefined;
  }
}

function factsOf(answer: GetSessionAnswer): Known {
  return {
    state: 'known',
    status: answer.session?.status ?? '',
    seats: answer.session?.participants?.list ?? [],
    attributes: answer.session?.attributes ?? {},
    revision: answer.revision ?? '0',
    epoch: answer.position?.epoch ?? '',
    tail: Number(answer.position?.offset ?? 0),
    owing: answer.openFeedbackUserIds ?? [],
  };
}

function same(one: Known, other: Known): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
