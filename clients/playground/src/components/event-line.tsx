// One event in a browser's log.

import type { EventEntry } from '../browsers/browser-log';
import { eventSummary } from './event-summary';
import { ReplayIcon } from './icons';
import { TimeOfDay } from './time-of-day';

interface EventLineProps {
  readonly event: EventEntry;
  readonly showPayload: boolean;
}

export function EventLine({ event, showPayload }: EventLineProps) {
  const { position, arrival, name, payload } = event;
  return (
    <li className="line" data-event={name} data-arrival={arrival} data-offset={position?.offset}>
      <span className="line-offset" title={position && `epoch ${position.epoch}, offset ${position.offset}`}>
        {position === undefined ? (
          <span className="visually-hidden">no position</span>
        ) : (
          `#${position.offset}`
        )}
      </span>
      <span className="line-content">
        {arrival === 'live' && (
          <span className="live" title="live">
            <span className="visually-hidden">live: </span>
          </span>
        )}
        <span className="line-name">{name}</span>{' '}
        <span className="line-summary">{eventSummary(name, payload)}</span>
        {arrival === 'replayed' && (
          <span className="replayed">
            <ReplayIcon />
            replayed
          </span>
        )}
      </span>
      <TimeOfDay time={event.time} />
      {showPayload && (
        <pre className="line-payload">
          <code>{JSON.stringify(payload, undefined, 2)}</code>
        </pre>
      )}
    </li>
  );
}
