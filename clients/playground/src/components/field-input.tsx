// One field of a form for a backend call.

import { useId } from 'react';

import type { Field } from '../backend/actions';
import { ROLE_NAMES } from '../backend/requests';

interface FieldInputProps {
  readonly field: Field;
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (value: string) => void;
}

export function FieldInput({ field, value, error, onChange }: FieldInputProps) {
  const id = useId();
  const isMultiline = field.kind === 'json' || field.kind === 'participants';
  const description = error ?? field.help;
  const common = {
    id,
    value,
    onChange: (event: { readonly target: { readonly value: string } }) => onChange(event.target.value),
    'aria-invalid': error !== undefined,
    'aria-describedby': description === undefined ? undefined : `${id}-description`,
    autoComplete: 'off',
    spellCheck: false,
  };
  return (
    <div className={isMultiline ? 'field wide' : 'field'}>
      <label htmlFor={id}>
        {field.label}
        {field.optional === true && <span className="hint"> optional</span>}
      </label>
      {field.kind === 'role' ? (
        <select {...common}>
          {ROLE_NAMES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      ) : isMultiline ? (
        <textarea {...common} rows={2} className="mono" placeholder={placeholderOf(field.kind)} />
      ) : (
        <input {...common} className={field.kind === 'id' ? 'mono' : undefined} />
      )}
      {description !== undefined && (
        <p className={error === undefined ? 'hint' : 'error'} id={`${id}-description`}>
          {description}
        </p>
      )}
    </div>
  );
}

function placeholderOf(kind: Field['kind']): string {
  return kind === 'participants' ? 'alice interviewer' : '{"topic":"Rust"}';
}
