// The log of one browser, newest first.

import { useId, useState } from 'react';

import type { LogEntry } from '../browsers/browser-log';
import type { SimulatedBrowser } from '../browsers/simulated-browser';
import { useStore } from '../use-store';
import { ConnectionLine } from './connection-line';
import { EventLine } from './event-line';

export function EventLog({ browser }: { readonly browser: SimulatedBrowser }) {
  const entries = useStore(browser.log.entries);
  const [showPayloads, setShowPayloads] = useState(false);
  const titleId = useId();
  return (
    <section className="log" aria-labelledby={titleId}>
      <div className="log-head">
        <h4 id={titleId}>
          Events <span className="hint">{countText(entries)}</span>
        </h4>
        <label className="toggle">
          <input
            type="checkbox"
            checked={showPayloads}
            onChange={(event) => setShowPayloads(event.target.checked)}
          />
          <span>Payloads</span>
        </label>
        <button type="button" className="button quiet small" onClick={() => browser.log.clear()}>
          Clear<span className="visually-hidden"> the events of {browser.user}</span>
        </button>
      </div>
      <div
        className="log-lines"
        tabIndex={0}
        role="log"
        aria-label={`Events of ${browser.user}, newest first`}
      >
        {entries.length === 0 && <p className="log-empty">No events yet.</p>}
        <ol>
          {entries.map((entry) =>
            entry.kind === 'event' ? (
              <EventLine key={entry.id} event={entry} showPayload={showPayloads} />
            ) : (
              <ConnectionLine key={entry.id} entry={entry} />
            ),
          )}
        </ol>
      </div>
    </section>
  );
}

function countText(entries: readonly LogEntry[]): string {
  const events = entries.filter((entry) => entry.kind === 'event');
  const replayed = events.filter((event) => event.arrival === 'replayed').length;
  return replayed === 0 ? String(events.length) : `${events.length}, ${replayed} replayed`;
}
