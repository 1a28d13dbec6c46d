// The end of the session's log as a row of places, with each browser where its cursor is. One that is cut off stays
// behind, and catches up.

import { useStore } from '../store';
import type { Visitor } from '../browsers/simulated-browser';
import { useWorkshop } from '../playground-session';
import { Face } from './avatar';

const SHOWN = 28;

interface Mark {
  readonly offset: number;
  // Undefined for an entry that no browser here was told of.
  readonly name: string | undefined;
  readonly users: readonly string[];
}

export function LogTrack({ tail, epoch }: { readonly tail: number; readonly epoch: string }) {
  const { crowd } = useWorkshop();
  const visitors = useStore(crowd.visitors);
  useStore(crowd.changes);
  const marks = marksOf(visitors, epoch, tail);
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
            aria-label={spoken(mark)}
            title={spoken(mark)}
          >
            <span className="track-faces">
              {mark.users.map((user) => (
                <Face key={user} user={user} small />
              ))}
            </span>
            <span className="track-place" aria-hidden="true">
              {mark.offset}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function marksOf(visitors: readonly Visitor[], epoch: string, tail: number): readonly Mark[] {
  const names = new Map<number, string>();
  const users = new Map<number, string[]>();
  for (const visitor of visitors) {
    for (const line of visitor.log.lines.read()) {
      if (line.kind === 'told' && line.position?.epoch === epoch) names.set(line.position.offset, line.name);
    }
    const at = visitor.cursor.read();
    if (at?.epoch === epoch) users.set(at.offset, [...(users.get(at.offset) ?? []), visitor.user]);
  }
  const last = Math.max(tail, ...users.keys(), 0);
  const first = Math.max(1, last - SHOWN + 1);
  return Array.from({ length: last - first + 1 }, (_, at) => {
    const offset = first + at;
    return { offset, name: names.get(offset), users: users.get(offset) ?? [] };
  });
}

function spoken({ offset, name, users }: Mark): string {
  const event = name ?? 'an entry that no browser here was told of';
  return `#${offset}: ${event}${users.length === 0 ? '' : `. Here: ${users.join(', ')}`}`;
}
