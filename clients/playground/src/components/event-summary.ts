// What an event says, in a few words.

export function gist(name: string, payload: unknown): string {
  switch (name) {
    case 'session-updated':
    case 'session-reset':
      return text(payload, 'session', 'status');
    case 'role-selected':
      return `${text(payload, 'userId')} as ${text(payload, 'role')}`;
    case 'feedback-required':
      return 'of you';
    case 'feedback-updated':
      return feedback(payload);
    case 'session-revoked':
      return text(payload, 'reason');
    case 'session-error':
      return text(payload, 'code');
    default:
      return '';
  }
}

function feedback(payload: unknown): string {
  const [author, score, note] = ['author', 'score', 'note'].map((field) =>
    text(payload, 'newFeedback', field),
  );
  if (!author) return JSON.stringify(inside(payload, ['updates']) ?? {});
  return `${author}${score ? `: ${score} of 5` : ''}${note ? `, “${note}”` : ''}`;
}

function text(value: unknown, ...path: readonly string[]): string {
  const found = inside(value, path);
  return found === undefined ? '' : String(found);
}

function inside(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, name) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined),
    value,
  );
}
