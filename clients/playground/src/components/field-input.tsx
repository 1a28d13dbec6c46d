// One field of a call.

import { useId } from 'react';

import type { Field } from '../backend/actions';
import { ROLE_NAMES } from '../backend/requests';

interface FieldInputProps {
  readonly field: Field;
  readonly value: string;
  readonly problem: string | undefined;
  readonly onChange: (value: string) => void;
}

export function FieldInput({ field, value, problem, onChange }: FieldInputProps) {
  const id = useId();
  const wide = field.kind === 'json' || field.kind === 'seats';
  const shared = {
    id,
    value,
    onChange: (event: { readonly target: { readonly value: string } }) => onChange(event.target.value),
    'aria-invalid': problem !== undefined,
    'aria-describedby': field.hint === undefined && problem === undefined ? undefined : `${id}-hint`,
    autoComplete: 'off',
    spellCheck: false,
  };
  return (
    <div className={wide ? 'field wide' : 'field'}>
      <label htmlFor={id}>
        {field.label}
        {field.optional === true && <span className="hint"> optional</span>}
      </label>
      {field.kind === 'role' ? (
        <select {...shared}>
          {ROLE_NAMES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      ) : wide ? (
        <textarea {...shared} rows={2} className="mono" placeholder={placeholder(field.kind)} />
      ) : (
        <input {...shared} className={field.kind === 'id' ? 'mono' : undefined} />
      )}
      {(problem ?? field.hint) !== undefined && (
        <p className={problem === undefined ? 'hint' : 'trouble'} id={`${id}-hint`}>
          {problem ?? field.hint}
        </p>
      )}
    </div>
  );
}

function placeholder(kind: Field['kind']): string {
  return kind === 'seats' ? 'alice interviewer' : '{"topic":"Rust"}';
}
