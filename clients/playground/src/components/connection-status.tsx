// The state of a connection, in a word and a colour.

import type { ConnectionState } from '@roomcast/core';

type Tone = 'good' | 'warn' | 'bad' | 'plain';

export function Connection({ state }: { readonly state: ConnectionState }) {
  const [tone, word, more] = shown(state);
  return (
    <p className="connection" data-tone={tone} data-status={state.status} role="status">
      <span className="connection-dot" aria-hidden="true" />
      {word}
      {more !== undefined && <span className="connection-more">{more}</span>}
    </p>
  );
}

function shown(state: ConnectionState): readonly [Tone, string, string?] {
  switch (state.status) {
    case 'idle':
      return ['plain', 'Not connected'];
    case 'connecting':
      return ['warn', 'Connecting'];
    case 'connected':
      return state.recovered ? ['good', 'Connected', 'recovered'] : ['good', 'Connected'];
    case 'reconnecting':
      return ['warn', 'Reconnecting'];
    case 'refused':
      return ['bad', 'Refused', state.code];
    case 'ended':
      return ['bad', 'Disconnected'];
  }
}
