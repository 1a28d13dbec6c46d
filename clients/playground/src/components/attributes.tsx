// The attributes of a session as names and values.

import type { Json, JsonObject } from '../backend/json';

export function Attributes({ attributes }: { readonly attributes: JsonObject }) {
  return (
    <>
      {Object.entries(attributes).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{textOf(value)}</dd>
        </div>
      ))}
    </>
  );
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
