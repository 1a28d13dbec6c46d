// What stands in the fields of a call, and what it means.

import { isId } from '../page-location';
import { isFields } from './bridge';
import type { Fields, Seat } from './requests';

// What stands in the fields, by their names.
export type Draft = Readonly<Record<string, string>>;

// A field does not hold what it should.
export class FieldError extends Error {
  constructor(
    readonly field: string,
    problem: string,
  ) {
    super(problem);
  }
}

export function optionalWord(draft: Draft, field: string): string | undefined {
  const text = draft[field]?.trim() ?? '';
  return text === '' ? undefined : text;
}

export function word(draft: Draft, field: string): string {
  const text = optionalWord(draft, field);
  if (text === undefined) throw new FieldError(field, 'is required');
  return text;
}

export function optionalId(draft: Draft, field: string): string | undefined {
  const text = optionalWord(draft, field);
  return text === undefined ? undefined : checked(text, field);
}

export function id(draft: Draft, field: string): string {
  return checked(word(draft, field), field);
}

function checked(text: string, field: string): string {
  if (!isId(text)) throw new FieldError(field, `“${text}” is no id: 1 to 128 of A-Z a-z 0-9 . _ ~ @ : + -`);
  return text;
}

export function ids(draft: Draft, field: string): readonly string[] | undefined {
  const text = optionalWord(draft, field);
  const parts = text?.split(/[\s,]+/).filter((part) => part !== '');
  return parts?.map((part) => checked(part, field));
}

export function json(draft: Draft, field: string): Fields | undefined {
  const text = optionalWord(draft, field);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (isFields(value as Fields)) return value as Fields;
  } catch {
    // Said below.
  }
  throw new FieldError(field, 'is no JSON object, such as {"topic":"Rust"}');
}

export function seats(draft: Draft, field: string): readonly Seat[] | undefined {
  const lines = optionalWord(draft, field)
    ?.split('\n')
    .filter((line) => line.trim() !== '');
  return lines?.map((line) => {
    const [user = '', role = ''] = line.trim().split(/[\s:,]+/);
    const name = `ROLE_${role.toUpperCase()}`;
    if (name !== 'ROLE_INTERVIEWER' && name !== 'ROLE_INTERVIEWEE' && name !== 'ROLE_OBSERVER') {
      throw new FieldError(
        field,
        `“${line.trim()}”: a line is a user and interviewer, interviewee or observer`,
      );
    }
    return { userId: checked(user, field), role: name };
  });
}

export function requestId(draft: Draft): { requestId?: string } {
  return some(optionalWord(draft, 'requestId'), (requestId) => ({ requestId })) ?? {};
}

export function some<T, R>(value: T | undefined, made: (value: T) => R): R | undefined {
  return value === undefined ? undefined : made(value);
}
