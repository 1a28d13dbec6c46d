// The events and connection changes of one browser, newest first. The log survives reloads, so that users can see that
// no event is missing or repeated.

import type { Position } from '@roomcast/core';

import type { RecordState } from '../backend/session-record';
import { Store } from '../store';

const MAX_ENTRIES = 200;

// Replayed: the event was in the log before the browser reconnected. Unknown: not determined yet.
export type Arrival = 'live' | 'replayed' | 'unknown';
export type Tone = 'plain' | 'good' | 'bad';

export interface EventEntry {
  readonly kind: 'event';
  readonly id: number;
  // In milliseconds since the Unix epoch.
  readonly time: number;
  readonly name: string;
  readonly payload: unknown;
  // The position in the session's log; undefined if the event is not part of that log.
  readonly position: Position | undefined;
  readonly arrival: Arrival;
}

export interface ConnectionEntry {
  readonly kind: 'connection';
  readonly id: number;
  // In milliseconds since the Unix epoch.
  readonly time: number;
  readonly tone: Tone;
  readonly text: string;
  // The edge of a new connection; undefined for other changes.
  readonly edge?: string;
}

export type LogEntry = EventEntry | ConnectionEntry;
type New<E extends LogEntry> = Omit<E, 'id' | 'time' | 'kind'>;

export class BrowserLog {
  readonly entries: Store<readonly LogEntry[]>;
  // Whether the log contains entries from before a reload.
  readonly isRestored: boolean;
  readonly #key: string;
  #nextId: number;

  constructor(session: string, user: string) {
    this.#key = `roomcast-playground:browser-log:${user}:${session}`;
    const saved = readSaved(this.#key);
    this.entries = new Store(saved);
    this.isRestored = saved.length > 0;
    this.#nextId = (saved[0]?.id ?? 0) + 1;
  }

  addEvent(event: New<EventEntry>): void {
    this.#add({ kind: 'event', id: this.#nextId++, time: Date.now(), ...event });
  }

  addConnection(tone: Tone, text: string, edge?: string): void {
    const entry = { kind: 'connection', id: this.#nextId++, time: Date.now(), tone, text } as const;
    this.#add(edge === undefined ? entry : { ...entry, edge });
  }

  hasEvent(matches: (event: EventEntry) => boolean): boolean {
    return this.entries.getSnapshot().some((entry) => entry.kind === 'event' && matches(entry));
  }

  // The position of the newest event that has one.
  lastPosition(): Position | undefined {
    for (const entry of this.entries.getSnapshot()) {
      if (entry.kind === 'event' && entry.position !== undefined) return entry.position;
    }
    return undefined;
  }

  // Determines unknown arrivals: events up to the tail at the time of the reconnection were replayed.
  resolveArrivals(record: RecordState): void {
    const arrivalOf = (position: Position | undefined): Arrival => {
      if (record.status !== 'loaded' || position === undefined) return 'live';
      const { epoch, tail } = record.session;
      return position.epoch === epoch && position.offset <= tail ? 'replayed' : 'live';
    };
    const resolve = (entry: LogEntry): LogEntry =>
      entry.kind === 'event' && entry.arrival === 'unknown'
        ? { ...entry, arrival: arrivalOf(entry.position) }
        : entry;
    this.#set(this.entries.getSnapshot().map(resolve));
  }

  clear(): void {
    this.#set([]);
  }

  removeSaved(): void {
    sessionStorage.removeItem(this.#key);
  }

  #add(entry: LogEntry): void {
    this.#set([entry, ...this.entries.getSnapshot()].slice(0, MAX_ENTRIES));
  }

  #set(entries: readonly LogEntry[]): void {
    this.entries.set(entries);
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(entries));
    } catch {
      // The storage is full or not available. A reload then starts with an empty log.
    }
  }
}

function readSaved(key: string): readonly LogEntry[] {
  try {
    const entries: unknown = JSON.parse(sessionStorage.getItem(key) ?? '[]');
    return Array.isArray(entries) ? (entries as LogEntry[]) : [];
  } catch {
    return [];
  }
}
