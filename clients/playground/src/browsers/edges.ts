// The edges that a browser can come by: the one that served this page, and a second one, started when first asked for.

import { BridgeError, startEdges } from '../backend/bridge';

export interface Edge {
  readonly name: string;
  readonly url: string;
}

export const HOME: Edge = { name: 'edge A', url: location.origin };

export function another(than: Edge): Promise<Edge> {
  if (than.url !== HOME.url) return Promise.resolve(HOME);
  // Asked each time: it is started once, and anew where `dev` itself was.
  return start();
}

async function start(): Promise<Edge> {
  const [, url] = await startEdges();
  if (url === undefined) throw new BridgeError('there is no second edge');
  return { name: 'edge B', url };
}

export function host(edge: Edge): string {
  return new URL(edge.url).host;
}
