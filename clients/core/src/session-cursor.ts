/**
 * A place in a session's log, as an edge hands it out. It is read only to tell what was seen already; `text` is what
 * goes back to an edge.
 */
export interface Position {
  readonly text: string;
  /** Without it, the text is of a form that is not known here: nothing is said about its order. */
  readonly place: { readonly epoch: string; readonly offset: number } | undefined;
}

/**
 * The position of one session in a socket's cursor: `1`, then `;session,epoch,offset,mark` for each session that the
 * socket is in. `undefined`: the cursor does not speak of the session.
 */
export function positionIn(cursor: string, sessionId: string): Position | undefined {
  const [version, ...sessions] = cursor.split(';');
  if (version !== '1') return { text: cursor, place: undefined };
  const found = sessions.find((session) => session.startsWith(`${sessionId},`));
  if (found === undefined) return undefined;
  const [, epoch = '', offset] = found.split(',');
  return { text: `1;${found}`, place: { epoch, offset: Number(offset) } };
}

/** Whether who has seen everything up to `seen` has seen `position`. */
export function covers(seen: Position | undefined, position: Position): boolean {
  if (seen?.place === undefined || position.place === undefined) return false;
  return seen.place.epoch === position.place.epoch && position.place.offset <= seen.place.offset;
}
