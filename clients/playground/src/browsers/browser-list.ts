// The browsers that are open on this page, in the order of the URL.

import type { SessionRecord } from '../backend/session-record';
import { Store } from '../store';
import { Visitor } from './simulated-browser';

export class Crowd {
  readonly visitors = new Store<readonly Visitor[]>([]);
  // Counts the changes of any browser's log, cursor or place.
  readonly changes = new Store(0);
  readonly #ends = new Map<Visitor, (() => void)[]>();

  constructor(
    private readonly record: SessionRecord,
    private readonly mints: boolean,
  ) {}

  // Opens and closes browsers until they are those of `users`.
  show(users: readonly string[]): void {
    const open = new Map(this.visitors.read().map((visitor) => [visitor.user, visitor]));
    const wanted = users.map((user) => {
      const there = open.get(user);
      open.delete(user);
      return there ?? this.#open(user);
    });
    for (const closed of open.values()) {
      this.#close(closed);
      closed.log.forget();
    }
    this.visitors.set(wanted);
    this.#changed();
  }

  close(): void {
    for (const visitor of this.visitors.read()) this.#close(visitor);
    this.visitors.set([]);
  }

  readonly #changed = (): void => this.changes.set(this.changes.read() + 1);

  #open(user: string): Visitor {
    const visitor = new Visitor(user, this.record, this.mints);
    const watched = [visitor.log.lines, visitor.cursor, visitor.edge];
    this.#ends.set(
      visitor,
      watched.map((store) => store.subscribe(this.#changed)),
    );
    visitor.client.connect();
    return visitor;
  }

  #close(visitor: Visitor): void {
    for (const end of this.#ends.get(visitor) ?? []) end();
    this.#ends.delete(visitor);
    visitor.close();
  }
}
