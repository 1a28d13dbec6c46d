import { useSession } from '@roomcast/react';

/** Joins a session and shows where it stands with it. */
export function Joined({ id }: { id: string }) {
  const { status } = useSession(id);
  return <p>{`${id}: ${status}`}</p>;
}
