// The ids of sessions, users and feedback, as the API accepts them.

// For the attribute `pattern` of an input.
export const ID_PATTERN = '[A-Za-z0-9._~@:+\\-]{1,128}';

const ID = new RegExp(`^${ID_PATTERN}$`);

export function isId(text: string): boolean {
  return ID.test(text);
}
