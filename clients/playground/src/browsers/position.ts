// Reads a place in the session's log out of a cursor. Pages have no need to: a cursor is opaque to them, and this
// page shows what is in it.

export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

export function positionIn(cursor: unknown, session: string): Position | undefined {
  if (typeof cursor !== 'string') return undefined;
  const [version, ...rooms] = cursor.split(';');
  if (version !== '1') return undefined;
  for (const room of rooms) {
    const [id, epoch, offset] = room.split(',');
    if (id === session && epoch !== undefined && offset !== undefined) {
      return { epoch, offset: Number(offset) };
    }
  }
  return undefined;
}
