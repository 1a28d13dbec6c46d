/** A position in a room's log. */
export interface Position {
  /** The incarnation of the log. Offsets of different epochs cannot be compared. */
  readonly epoch: string;
  /** The offset in the log: the first event has 1, and each further event has 1 more. */
  readonly offset: number;
}

/** A cursor of one session. */
export interface SessionCursor {
  /** The opaque text that `join-session` accepts as `after`. */
  readonly text: string;
  /** `undefined` if the cursor has a version that this package does not support: it then has no known order. */
  readonly position: Position | undefined;
}

/**
 * Reads one session from a socket's cursor, which has the form `1`, then `;session,epoch,offset,mark` for each session
 * that the socket is in. Returns `undefined` if the cursor does not contain the session.
 *
 * Cursors are opaque to pages, and their form may change. This function is for tools that show positions to developers.
 */
export function parseCursor(cursor: string, sessionId: string): SessionCursor | undefined {
  const [version, ...sessions] = cursor.split(';');
  if (version !== '1') return { text: cursor, position: undefined };
  const found = sessions.find((session) => session.startsWith(`${sessionId},`));
  if (found === undefined) return undefined;
  const [, epoch = '', offset] = found.split(',');
  return { text: `1;${found}`, position: { epoch, offset: Number(offset) } };
}

/** Whether `cursor` is not after `seen`, in the same epoch. */
export function covers(seen: SessionCursor | undefined, cursor: SessionCursor): boolean {
  if (seen?.position === undefined || cursor.position === undefined) return false;
  return seen.position.epoch === cursor.position.epoch && cursor.position.offset <= seen.position.offset;
}
