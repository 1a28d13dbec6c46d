// What this browser was told, newest first.

import { useId, useState } from 'react';

import { useStore } from '../store';
import type { Line } from '../browsers/browser-log';
import type { Visitor } from '../browsers/simulated-browser';
import { EventLine, TurnLine } from './event-line';

export function EventLog({ visitor }: { readonly visitor: Visitor }) {
  const lines = useStore(visitor.log.lines);
  const [payloads, setPayloads] = useState(false);
  const title = useId();
  return (
    <section className="log" aria-labelledby={title}>
      <div className="log-head">
        <h4 id={title}>
          Events <span className="hint">{count(lines)}</span>
        </h4>
        <label className="toggle">
          <input type="checkbox" checked={payloads} onChange={(event) => setPayloads(event.target.checked)} />
          <span>Payloads</span>
        </label>
        <button type="button" className="button quiet small" onClick={() => visitor.log.clear()}>
          Clear<span className="unseen"> the events of {visitor.user}</span>
        </button>
      </div>
      <div
        className="log-lines"
        tabIndex={0}
        role="log"
        aria-label={`Events of ${visitor.user}, newest first`}
      >
        {lines.length === 0 && <p className="log-empty">Nothing yet.</p>}
        <ol>
          {lines.map((line) =>
            line.kind === 'told' ? (
              <EventLine key={line.id} told={line} payload={payloads} />
            ) : (
              <TurnLine key={line.id} turn={line} />
            ),
          )}
        </ol>
      </div>
    </section>
  );
}

function count(lines: readonly Line[]): string {
  const told = lines.filter((line) => line.kind === 'told');
  const replayed = told.filter((line) => line.arrival === 'replayed').length;
  return replayed === 0 ? String(told.length) : `${told.length}, ${replayed} replayed`;
}
