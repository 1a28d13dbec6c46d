// What `roomcast dev` does for this page over HTTP: tokens, calls, a second edge.

import type { Fields, Json, Method, Request } from './requests';

// How this `dev` is set up.
export interface About {
  readonly grpcurl: { readonly options: string; readonly address: string };
  // Whether it makes tokens: only with the published dev secret.
  readonly mints: boolean;
  readonly edges: readonly string[];
  readonly store: 'memory' | 'redis';
  readonly version: string;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly details: readonly Fields[];
}

export type Outcome = { readonly ok: true; readonly answer: Json } | ({ readonly ok: false } & Failure);

export class BridgeError extends Error {}

export async function about(): Promise<About> {
  const answer = await fetch('/dev/about');
  if (!answer.ok) throw new BridgeError(await answer.text());
  return (await answer.json()) as About;
}

export async function mint(user: string, ttlSeconds: number): Promise<string> {
  const answer = await post('/dev/token', { user, ttlSeconds });
  if (!answer.ok) throw new BridgeError(await answer.text());
  return ((await answer.json()) as { token: string }).token;
}

// The URLs of all edges, after a second one was started where there was none.
export async function startEdges(): Promise<readonly string[]> {
  const answer = await post('/dev/edges', {});
  if (!answer.ok) throw new BridgeError(await answer.text());
  return ((await answer.json()) as { edges: readonly string[] }).edges;
}

export async function call(method: Method, request: Request): Promise<Outcome> {
  try {
    const answer = await post(`/dev/call/${method}`, request);
    const text = await answer.text();
    const body = parsed(text);
    if (answer.ok) return { ok: true, answer: body ?? null };
    return failure(body, `${answer.status} ${answer.statusText}`.trim(), text);
  } catch (error) {
    return { ok: false, code: 'unreachable', message: words(error), details: [] };
  }
}

function post(path: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

// A status of the control plane, or what stands between it and the page said no.
function failure(body: Json | undefined, status: string, text: string): Outcome {
  if (!isFields(body) || body['code'] === undefined) {
    return { ok: false, code: status, message: text, details: [] };
  }
  const details = Array.isArray(body['details']) ? body['details'].filter(isFields) : [];
  return { ok: false, code: String(body['code']), message: String(body['message'] ?? ''), details };
}

export function isFields(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
