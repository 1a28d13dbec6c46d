// Every call that this page made, newest first: also those behind the buttons of the browsers.

import type { Call } from '../backend/call-history';
import { useStore } from '../store';
import { useWorkshop } from '../playground-session';
import { Command } from './command';
import { OutcomeView } from './outcome-view';

export function Calls() {
  const { journal } = useWorkshop();
  const calls = useStore(journal.calls);
  return (
    <div className="calls">
      <h3 id="calls-title">
        Calls <span className="hint">{calls.length}</span>
      </h3>
      {calls.length === 0 ? (
        <p className="hint">Whatever you do here, its call stands below, with the command to do the same.</p>
      ) : (
        <ol aria-labelledby="calls-title">
          {calls.map((call) => (
            <li key={call.id}>
              <CallView call={call} />
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

function CallView({ call }: { readonly call: Call }) {
  const { outcome } = call;
  return (
    <details className="call" data-method={call.method}>
      <summary>
        <span className="call-title">{call.title}</span>
        <code className="call-method">{call.method}</code>
        <span className="call-code" data-tone={outcome === undefined ? 'plain' : outcome.ok ? 'good' : 'bad'}>
          {outcome === undefined ? '…' : outcome.ok ? 'OK' : outcome.code}
        </span>
      </summary>
      <div className="call-body">
        <Command text={call.command} what={call.title} />
        <OutcomeView outcome={outcome} />
      </div>
    </details>
  );
}
