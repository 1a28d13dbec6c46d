// The backend's own fields of a session, as names and values.

import type { Fields, Json } from '../backend/requests';

export function Attributes({ of }: { readonly of: Fields }) {
  return (
    <>
      {Object.entries(of).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{shown(value)}</dd>
        </div>
      ))}
    </>
  );
}

function shown(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
