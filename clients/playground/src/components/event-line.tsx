// A line of a browser's log: an event with its position, or a turn of the connection.

import type { Told, Turn } from '../browsers/browser-log';
import { gist } from './event-summary';
import { ReplayIcon } from './icons';

export function EventLine({ told, payload }: { readonly told: Told; readonly payload: boolean }) {
  const { position, arrival, name } = told;
  return (
    <li className="line" data-event={name} data-arrival={arrival} data-offset={position?.offset}>
      <span className="line-offset" title={position && `epoch ${position.epoch}, offset ${position.offset}`}>
        {position === undefined ? <span className="unseen">no position</span> : `#${position.offset}`}
      </span>
      <span className="line-what">
        {arrival === 'live' && (
          <span className="live" title="live">
            <span className="unseen">live: </span>
          </span>
        )}
        <span className="line-name">{name}</span>{' '}
        <span className="line-gist">{gist(name, told.payload)}</span>
        {arrival === 'replayed' && (
          <span className="replayed">
            <ReplayIcon />
            replayed
          </span>
        )}
      </span>
      <Clock at={told.at} />
      {payload && (
        <pre className="line-payload">
          <code>{JSON.stringify(told.payload, undefined, 2)}</code>
        </pre>
      )}
    </li>
  );
}

export function TurnLine({ turn }: { readonly turn: Turn }) {
  return (
    <li className="turn" data-tone={turn.tone}>
      <span>{turn.text}</span>
      <Clock at={turn.at} />
    </li>
  );
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

function Clock({ at }: { readonly at: number }) {
  return (
    <time className="line-time" dateTime={new Date(at).toISOString()}>
      {clock.format(at)}
    </time>
  );
}
