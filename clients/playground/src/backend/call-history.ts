// Makes the page's calls, and keeps each one with its command and outcome.

import { Store } from '../store';
import { call, fetchAbout, type About, type Outcome } from './bridge';
import { grpcurlCommand } from './grpcurl-command';
import type { Method, Request, Requests } from './requests';

const MAX_CALLS = 100;

export interface Call {
  readonly id: number;
  // The purpose of the call.
  readonly title: string;
  readonly method: Method;
  readonly request: Request;
  readonly command: string;
  // Undefined until the call has a response.
  readonly outcome: Outcome | undefined;
}

export class CallHistory {
  // The newest call is first.
  readonly calls = new Store<readonly Call[]>([]);
  readonly about = new Store<About | undefined>(undefined);
  #nextId = 1;

  async loadAbout(): Promise<void> {
    this.about.set(await fetchAbout());
  }

  command(method: Method, request: Request): string {
    return grpcurlCommand(this.about.getSnapshot()?.grpcurl, method, request);
  }

  async call<M extends Method>(title: string, method: M, request: Requests[M]): Promise<Outcome> {
    const id = this.#nextId++;
    const command = this.command(method, request);
    const pending: Call = { id, title, method, request, command, outcome: undefined };
    this.calls.set([pending, ...this.calls.getSnapshot()].slice(0, MAX_CALLS));
    const outcome = await call(method, request);
    this.calls.set(
      this.calls.getSnapshot().map((entry) => (entry.id === id ? { ...entry, outcome } : entry)),
    );
    return outcome;
  }
}
