import { useSession } from '@roomcast/react';

/** Joins a session and shows the status of its membership. */
export function SessionStatus({ id }: { id: string }) {
  const { status } = useSession(id);
  return <p>{`${id}: ${status}`}</p>;
}
