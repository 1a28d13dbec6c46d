// The end of the session's log as a row of offsets, with each browser at its cursor. A disconnected browser stays behind
// and then catches up.

import type { SimulatedBrowser } from '../browsers/simulated-browser';
import { usePlaygroundSession } from '../use-playground-session';
import { useStore } from '../use-store';
import { Avatar } from './avatar';

const MAX_MARKS = 28;

interface Mark {
  readonly offset: number;
  // The event's name; undefined if no browser on this page received it.
  readonly name: string | undefined;
  // The users whose cursor is at this offset.
  readonly users: readonly string[];
}

export function LogTrack({ tail, epoch }: { readonly tail: number; readonly epoch: string }) {
  const { browsers } = usePlaygroundSession();
  const open = useStore(browsers.open);
  useStore(browsers.changes);
  const marks = marksOf(open, epoch, tail);
  return (
    <div className="track">
      <p className="track-title" id="track-title">
        Log <span className="hint">epoch {epoch}</span>
      </p>
      <ol aria-labelledby="track-title" tabIndex={0}>
        {marks.map((mark) => (
          <li
            key={mark.offset}
            data-event={mark.name ?? 'none'}
            aria-label={labelOf(mark)}
            title={labelOf(mark)}
          >
            <span className="track-avatars">
              {mark.users.map((user) => (
                <Avatar key={user} user={user} small />
              ))}
            </span>
            <span className="track-offset" aria-hidden="true">
              {mark.offset}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function marksOf(browsers: readonly SimulatedBrowser[], epoch: string, tail: number): readonly Mark[] {
  const names = new Map<number, string>();
  const users = new Map<number, string[]>();
  for (const browser of browsers) {
    for (const entry of browser.log.entries.getSnapshot()) {
      if (entry.kind === 'event' && entry.position?.epoch === epoch)
        names.set(entry.position.offset, entry.name);
    }
    const cursor = browser.cursor.getSnapshot();
    if (cursor?.epoch === epoch)
      users.set(cursor.offset, [...(users.get(cursor.offset) ?? []), browser.user]);
  }
  const last = Math.max(tail, ...users.keys(), 0);
  const first = Math.max(1, last - MAX_MARKS + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const offset = first + index;
    return { offset, name: names.get(offset), users: users.get(offset) ?? [] };
  });
}

function labelOf({ offset, name, users }: Mark): string {
  const event = name ?? 'an event that no browser on this page received';
  return `#${offset}: ${event}${users.length === 0 ? '' : `. Cursor of ${users.join(', ')}`}`;
}
