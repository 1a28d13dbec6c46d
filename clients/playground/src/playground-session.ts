// The session that the page shows, with its browsers and the backend's calls.

import type { Outcome } from './backend/bridge';
import type { CallHistory } from './backend/call-history';
import type { Method, Requests } from './backend/requests';
import { SessionRecord } from './backend/session-record';
import { BrowserList } from './browsers/browser-list';

export class PlaygroundSession {
  readonly record: SessionRecord;
  readonly browsers: BrowserList;

  constructor(
    readonly id: string,
    readonly history: CallHistory,
    mintsTokens: boolean,
  ) {
    this.record = new SessionRecord(id);
    this.browsers = new BrowserList(this.record, mintsTokens);
  }

  // Makes a call as the backend, then reads the session again.
  async call<M extends Method>(title: string, method: M, request: Requests[M]): Promise<Outcome> {
    const outcome = await this.history.call(title, method, request);
    this.record.scheduleRead();
    return outcome;
  }

  // Publishes another status with the current attributes, because a call without them removes them.
  async setStatus(status: string): Promise<Outcome> {
    const record = this.record.state.getSnapshot();
    const attributes = record.status === 'loaded' ? record.session.attributes : {};
    const session = { id: this.id, status, attributes };
    return this.call(`Set the status to ${status}`, 'PublishSessionUpdate', { session });
  }
}
