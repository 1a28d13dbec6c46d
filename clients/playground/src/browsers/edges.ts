// The edges to which a browser can connect: the edge that served this page, and a second edge that is started on demand.

import { BridgeError, startSecondEdge } from '../backend/bridge';

export interface Edge {
  readonly name: 'edge A' | 'edge B';
  readonly url: string;
}

export const FIRST_EDGE: Edge = { name: 'edge A', url: location.origin };

// Returns the edge that is not `current`. Starts the second edge if necessary.
export async function otherEdge(current: Edge): Promise<Edge> {
  if (current.url !== FIRST_EDGE.url) return FIRST_EDGE;
  // Called each time, because a restarted `roomcast dev` has only one edge again.
  const [, url] = await startSecondEdge();
  if (url === undefined) throw new BridgeError('there is no second edge');
  return { name: 'edge B', url };
}

export function hostOf(edge: Edge): string {
  return new URL(edge.url).host;
}
