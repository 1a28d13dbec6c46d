// The state of a connection as a text and a colour.

import type { ConnectionState } from '@roomcast/core';

type Tone = 'good' | 'warn' | 'bad' | 'plain';

export function ConnectionStatus({ state }: { readonly state: ConnectionState }) {
  const [tone, text, detail] = describe(state);
  return (
    <p className="connection" data-tone={tone} data-status={state.status} role="status">
      <span className="connection-dot" aria-hidden="true" />
      {text}
      {detail !== undefined && <span className="connection-detail">{detail}</span>}
    </p>
  );
}

function describe(state: ConnectionState): readonly [Tone, string, string?] {
  switch (state.status) {
    case 'idle':
      return ['plain', 'Not connected'];
    case 'connecting':
      return ['warn', 'Connecting'];
    case 'connected':
      return state.recovered ? ['good', 'Connected', 'recovered'] : ['good', 'Connected'];
    case 'reconnecting':
      return ['warn', 'Reconnecting'];
    case 'denied':
      return ['bad', 'Denied', state.code];
    case 'ended':
      return ['bad', 'Disconnected'];
  }
}
