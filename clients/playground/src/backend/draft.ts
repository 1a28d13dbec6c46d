// The text in the fields of a form, and its conversion to the fields of a request.

import { isId } from '../id';
import { isJsonObject, type Json, type JsonObject } from './json';
import type { Participant } from './requests';

// The texts by field name.
export type Draft = Readonly<Record<string, string>>;

// A field contains an invalid text.
export class FieldError extends Error {
  constructor(
    readonly field: string,
    message: string,
  ) {
    super(message);
  }
}

export function optionalText(draft: Draft, field: string): string | undefined {
  const text = draft[field]?.trim() ?? '';
  return text === '' ? undefined : text;
}

export function requiredText(draft: Draft, field: string): string {
  const text = optionalText(draft, field);
  if (text === undefined) throw new FieldError(field, 'is required');
  return text;
}

export function optionalId(draft: Draft, field: string): string | undefined {
  const text = optionalText(draft, field);
  return text === undefined ? undefined : parseId(text, field);
}

export function requiredId(draft: Draft, field: string): string {
  return parseId(requiredText(draft, field), field);
}

function parseId(text: string, field: string): string {
  if (isId(text)) return text;
  const rule = '1 to 128 characters of A-Z a-z 0-9 . _ ~ @ : + -';
  throw new FieldError(field, `“${text}” is not a valid id: ${rule}`);
}

export function optionalIds(draft: Draft, field: string): readonly string[] | undefined {
  const text = optionalText(draft, field);
  const parts = text?.split(/[\s,]+/).filter((part) => part !== '');
  return parts?.map((part) => parseId(part, field));
}

export function optionalJson(draft: Draft, field: string): JsonObject | undefined {
  const text = optionalText(draft, field);
  if (text === undefined) return undefined;
  const value = parseJson(text);
  if (isJsonObject(value)) return value;
  throw new FieldError(field, 'is not a JSON object such as {"topic":"Rust"}');
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

export function optionalParticipants(draft: Draft, field: string): readonly Participant[] | undefined {
  const lines = optionalText(draft, field)
    ?.split('\n')
    .filter((line) => line.trim() !== '');
  return lines?.map((line) => parseParticipant(line.trim(), field));
}

function parseParticipant(line: string, field: string): Participant {
  const [user = '', role = ''] = line.split(/[\s:,]+/);
  const name = `ROLE_${role.toUpperCase()}`;
  if (name !== 'ROLE_INTERVIEWER' && name !== 'ROLE_INTERVIEWEE' && name !== 'ROLE_OBSERVER') {
    const rule = 'a line contains a user and interviewer, interviewee or observer';
    throw new FieldError(field, `“${line}” is not a participant: ${rule}`);
  }
  return { userId: parseId(user, field), role: name };
}

export function requestId(draft: Draft): { requestId?: string } {
  return mapDefined(optionalText(draft, 'requestId'), (requestId) => ({ requestId })) ?? {};
}

export function mapDefined<T, R>(value: T | undefined, convert: (value: T) => R): R | undefined {
  return value === undefined ? undefined : convert(value);
}
