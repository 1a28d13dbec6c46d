// What one browser was told, newest first, and the turns of its connection. It outlives a reload, so that a person
// can see that nothing is missing and nothing came twice.

import { Store } from '../store';
import type { Position } from './position';

const KEPT = 200;

// Replayed: it was in the log before the browser was back. Unknown: that is being found out.
export type Arrival = 'live' | 'replayed' | 'unknown';
export type Tone = 'plain' | 'good' | 'bad';

export interface Told {
  readonly kind: 'told';
  readonly id: number;
  readonly at: number;
  readonly name: string;
  readonly payload: unknown;
  // Where it stands in the session's log; undefined for what is not of that log.
  readonly position: Position | undefined;
  readonly arrival: Arrival;
}

export interface Turn {
  readonly kind: 'turn';
  readonly id: number;
  readonly at: number;
  readonly tone: Tone;
  readonly text: string;
}

export type Line = Told | Turn;
type New<L extends Line> = Omit<L, 'id' | 'at' | 'kind'>;

export class VisitorLog {
  readonly lines: Store<readonly Line[]>;
  // Whether lines of an earlier life of the page are in it.
  readonly reloaded: boolean;
  readonly #key: string;
  #next: number;

  constructor(session: string, user: string) {
    this.#key = `roomcast-playground:log:${user}:${session}`;
    const kept = restored(this.#key);
    this.lines = new Store(kept);
    this.reloaded = kept.length > 0;
    this.#next = (kept[0]?.id ?? 0) + 1;
  }

  told(told: New<Told>): void {
    this.#add({ kind: 'told', id: this.#next++, at: Date.now(), ...told });
  }

  turn(tone: Tone, text: string): void {
    this.#add({ kind: 'turn', id: this.#next++, at: Date.now(), tone, text });
  }

  // The last event of the session's log in it.
  last(): Position | undefined {
    for (const line of this.lines.read()) {
      if (line.kind === 'told' && line.position !== undefined) return line.position;
    }
    return undefined;
  }

  // The log ended at `tail` when the browser came back: what stands before it was replayed.
  settle(tail: { epoch: string; tail: number } | undefined): void {
    const arrival = (position: Position | undefined): Arrival =>
      tail !== undefined && position?.epoch === tail.epoch && position.offset <= tail.tail
        ? 'replayed'
        : 'live';
    const settled = (line: Line): Line =>
      line.kind === 'told' && line.arrival === 'unknown'
        ? { ...line, arrival: arrival(line.position) }
        : line;
    this.#set(this.lines.read().map(settled));
  }

  clear(): void {
    this.#set([]);
  }

  forget(): void {
    sessionStorage.removeItem(this.#key);
  }

  #add(line: Line): void {
    this.#set([line, ...this.lines.read()].slice(0, KEPT));
  }

  #set(lines: readonly Line[]): void {
    this.lines.set(lines);
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(lines));
    } catch {
      // Full, or not allowed: then a reload begins with an empty log.
    }
  }
}

function restored(key: string): readonly Line[] {
  try {
    const lines: unknown = JSON.parse(sessionStorage.getItem(key) ?? '[]');
    return Array.isArray(lines) ? (lines as Line[]) : [];
  } catch {
    return [];
  }
}
