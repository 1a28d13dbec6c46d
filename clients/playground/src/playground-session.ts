// What belongs to the session that the page shows.

import { createContext, useContext } from 'react';

import type { Outcome } from './backend/bridge';
import type { Method, Requests } from './backend/requests';
import { Journal } from './backend/call-history';
import { SessionRecord } from './backend/session-record';
import { Crowd } from './browsers/browser-list';

export class Workshop {
  readonly record: SessionRecord;
  readonly crowd: Crowd;

  constructor(
    readonly session: string,
    readonly journal: Journal,
    mints: boolean,
  ) {
    this.record = new SessionRecord(session);
    this.crowd = new Crowd(this.record, mints);
  }

  // Makes a call as the backend, and looks at what it changed.
  async call<M extends Method>(title: string, method: M, request: Requests[M]): Promise<Outcome> {
    const outcome = await this.journal.make(title, method, request);
    this.record.touch();
    return outcome;
  }

  // Another status, with everything else as it stands: what a call does not give would be gone.
  async setStatus(status: string): Promise<Outcome> {
    const known = this.record.known.read();
    const attributes = known.state === 'known' ? known.attributes : {};
    const session = { id: this.session, status, attributes };
    return this.call(`Set the status to ${status}`, 'PublishSessionUpdate', { session });
  }
}

const WorkshopContext = createContext<Workshop | undefined>(undefined);

export const WorkshopProvider = WorkshopContext.Provider;

export function useWorkshop(): Workshop {
  const workshop = useContext(WorkshopContext);
  if (workshop === undefined) throw new Error('no session is shown here');
  return workshop;
}
