// One change of the connection in a browser's log.

import type { ConnectionEntry } from '../browsers/browser-log';
import { TimeOfDay } from './time-of-day';

export function ConnectionLine({ entry }: { readonly entry: ConnectionEntry }) {
  return (
    <li className="connection-line" data-tone={entry.tone}>
      <span>{entry.text}</span>
      <TimeOfDay time={entry.time} />
    </li>
  );
}
