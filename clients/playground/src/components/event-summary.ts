// A short text about an event, for a line of the log.

export function eventSummary(name: string, payload: unknown): string {
  switch (name) {
    case 'session-updated':
    case 'session-reset':
      return textAt(payload, 'session', 'status');
    case 'role-selected':
      return `${textAt(payload, 'userId')} as ${textAt(payload, 'role')}`;
    case 'feedback-required':
      return 'from this user';
    case 'feedback-updated':
      return feedbackSummary(payload);
    case 'session-revoked':
      return textAt(payload, 'reason');
    case 'session-error':
      return textAt(payload, 'code');
    default:
      return '';
  }
}

function feedbackSummary(payload: unknown): string {
  const [author, score, note] = ['author', 'score', 'note'].map((field) =>
    textAt(payload, 'newFeedback', field),
  );
  if (!author) return JSON.stringify(valueAt(payload, ['updates']) ?? {});
  return `${author}${score ? `: ${score} of 5` : ''}${note ? `, “${note}”` : ''}`;
}

function textAt(value: unknown, ...path: readonly string[]): string {
  const found = valueAt(value, path);
  return found === undefined ? '' : String(found);
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (parent, name) =>
      typeof parent === 'object' && parent !== null ? (parent as Record<string, unknown>)[name] : undefined,
    value,
  );
}
