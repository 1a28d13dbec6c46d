// Every call that this page made, newest first, including the calls of the browsers' buttons.

import type { Call } from '../backend/call-history';
import { usePlaygroundSession } from '../use-playground-session';
import { useStore } from '../use-store';
import { Command } from './command';
import { OutcomeView } from './outcome-view';

export function CallList() {
  const { history } = usePlaygroundSession();
  const calls = useStore(history.calls);
  return (
    <div className="calls">
      <h3 id="calls-title">
        Calls <span className="hint">{calls.length}</span>
      </h3>
      {calls.length === 0 ? (
        <p className="hint">Every action on this page appears here, with its call as a command.</p>
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
        <Command text={call.command} description={call.title} />
        <OutcomeView outcome={outcome} />
      </div>
    </details>
  );
}
