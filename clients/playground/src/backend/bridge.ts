// The HTTP API that `roomcast dev` provides for this page: tokens, backend calls, and a second edge.

import { errorMessage } from '../error-message';
import { isJsonObject, type Json, type JsonObject } from './json';
import type { Method, Request } from './requests';

// The setup of this `roomcast dev`.
export interface About {
  readonly grpcurl: { readonly options: string; readonly address: string };
  // Whether it mints tokens. It does so only with the published dev secret.
  readonly mints: boolean;
  // The URLs of the edges.
  readonly edges: readonly string[];
  readonly store: 'memory' | 'redis';
  readonly version: string;
}

export interface Failure {
  // A gRPC code such as NOT_FOUND, an HTTP status, or `unreachable`.
  readonly code: string;
  readonly message: string;
  readonly details: readonly JsonObject[];
}

export type Outcome = { readonly ok: true; readonly response: Json } | ({ readonly ok: false } & Failure);

export class BridgeError extends Error {}

export async function fetchAbout(): Promise<About> {
  const response = await fetch('/dev/about');
  if (!response.ok) throw new BridgeError(await response.text());
  return (await response.json()) as About;
}

export async function mintToken(user: string, ttlSeconds: number): Promise<string> {
  const response = await post('/dev/token', { user, ttlSeconds });
  if (!response.ok) throw new BridgeError(await response.text());
  return ((await response.json()) as { token: string }).token;
}

// Starts a second edge unless one runs already. Returns the URLs of all edges.
export async function startSecondEdge(): Promise<readonly string[]> {
  const response = await post('/dev/edges', {});
  if (!response.ok) throw new BridgeError(await response.text());
  return ((await response.json()) as { edges: readonly string[] }).edges;
}

export async function call(method: Method, request: Request): Promise<Outcome> {
  try {
    const response = await post(`/dev/call/${method}`, request);
    const text = await response.text();
    const body = parseJson(text);
    if (response.ok) return { ok: true, response: body ?? null };
    return failureOf(body, `${response.status} ${response.statusText}`.trim(), text);
  } catch (error) {
    return { ok: false, code: 'unreachable', message: errorMessage(error), details: [] };
  }
}

function post(path: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

// A gRPC status of the control plane, or an HTTP error of the bridge or a proxy.
function failureOf(body: Json | undefined, httpStatus: string, text: string): Outcome {
  if (!isJsonObject(body) || body['code'] === undefined) {
    return { ok: false, code: httpStatus, message: text, details: [] };
  }
  const details = Array.isArray(body['details']) ? body['details'].filter(isJsonObject) : [];
  return { ok: false, code: String(body['code']), message: String(body['message'] ?? ''), details };
}
