// Every call that this page made, with its command and what came of it.

import { Store } from '../store';
import { about, call, type About, type Outcome } from './bridge';
import type { Method, Request, Requests } from './requests';
import { grpcurl } from './grpcurl';

const KEPT = 100;

export interface Call {
  readonly id: number;
  // What it was made for, in a person's words.
  readonly title: string;
  readonly method: Method;
  readonly request: Request;
  readonly command: string;
  readonly at: number;
  // Undefined while it is under way.
  readonly outcome: Outcome | undefined;
}

export class Journal {
  readonly calls = new Store<readonly Call[]>([]);
  readonly reach = new Store<About | undefined>(undefined);
  #next = 1;

  async learn(): Promise<void> {
    this.reach.set(await about());
  }

  command(method: Method, request: Request): string {
    return grpcurl(this.reach.read()?.grpcurl, method, request);
  }

  async make<M extends Method>(title: string, method: M, request: Requests[M]): Promise<Outcome> {
    const id = this.#next++;
    const command = this.command(method, request);
    const made: Call = { id, title, method, request, command, at: Date.now(), outcome: undefined };
    this.calls.set([made, ...this.calls.read()].slice(0, KEPT));
    const outcome = await call(method, request);
    this.calls.set(this.calls.read().map((one) => (one.id === id ? { ...one, outcome } : one)));
    return outcome;
  }
}
