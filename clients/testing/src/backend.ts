import { join } from 'node:path';

import { type Client, credentials, loadPackageDefinition, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

import type { RoomcastProcess } from './roomcast-process.js';

type Fields = Record<string, unknown>;
type Done = (error: ServiceError | null, answer: Fields) => void;
type Method = (request: Fields, options: { deadline: number }, done: Done) => void;
type Service = new (address: string, credentials: unknown, options: Fields) => Client;

const PROTO = join(import.meta.dirname, '../../../proto');
const DEADLINE_MS = 10_000;
/** A control plane that restarts is found again soon. */
const CHANNEL = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 500 };

/** A backend: calls the real control plane over gRPC. Fields are in camelCase, enums by their proto names. */
export class Backend {
  #client: Client;

  constructor(address: string) {
    const options = { includeDirs: [PROTO], longs: String, enums: String };
    const loaded = loadPackageDefinition(loadSync('roomcast/v1/session_service.proto', options));
    const { SessionService } = (loaded['roomcast'] as unknown as { v1: { SessionService: Service } }).v1;
    this.#client = new SessionService(address, credentials.createInsecure(), CHANNEL);
  }

  static of(process: RoomcastProcess): Backend {
    return new Backend(process.address('grpc'));
  }

  /** Any unary method of SessionService, by its name. */
  call(method: string, request: Fields): Promise<Fields> {
    const called = (this.#client as unknown as Record<string, Method | undefined>)[method];
    if (called === undefined) throw new Error(`SessionService has no ${method}`);
    return new Promise((resolve, reject) => {
      called.call(this.#client, request, { deadline: Date.now() + DEADLINE_MS }, (error, answer) => {
        if (error === null) resolve(answer);
        else reject(error);
      });
    });
  }

  /** Creates or replaces a session. `people` as `{ alice: 'interviewer' }`; without it they stay as they are. */
  publish(id: string, status: string, people?: Record<string, string>, attributes: Fields = {}) {
    const list = Object.entries(people ?? {}).map(([userId, role]) => ({ userId, role: roleOf(role) }));
    const participants = people === undefined ? {} : { participants: { list } };
    const session = { id, status, ...participants, attributes: toStruct(attributes) };
    return this.call('PublishSessionUpdate', { session });
  }

  selectRole(sessionId: string, userId: string, role: string) {
    return this.call('SelectRole', { sessionId, userId, role: roleOf(role) });
  }

  /** Without users: every participant. */
  requireFeedback(sessionId: string, userIds: string[] = []) {
    return this.call('RequireFeedback', { sessionId, userIds });
  }

  updateFeedback(sessionId: string, feedbackId: string, updates: Fields = {}, more: FeedbackMore = {}) {
    const newFeedback = more.newFeedback === undefined ? {} : { newFeedback: toStruct(more.newFeedback) };
    const { authorId = '' } = more;
    const request = { sessionId, feedbackId, authorId, updates: toStruct(updates), ...newFeedback };
    return this.call('UpdateFeedback', request);
  }

  remove(sessionId: string, userId: string) {
    return this.call('RemoveParticipant', { sessionId, userId });
  }

  disconnect(userId: string, reason = 'test') {
    return this.call('DisconnectUser', { userId, reason });
  }

  getSession(sessionId: string) {
    return this.call('GetSession', { sessionId });
  }

  close(): void {
    this.#client.close();
  }
}

interface FeedbackMore {
  /** Whose obligation ends by it. */
  authorId?: string;
  newFeedback?: Fields;
}

function roleOf(name: string): string {
  return `ROLE_${name.toUpperCase()}`;
}

/** A JSON object as google.protobuf.Struct. */
function toStruct(json: Fields): Fields {
  return { fields: Object.fromEntries(Object.entries(json).map(([key, value]) => [key, toValue(value)])) };
}

/** A JSON value as google.protobuf.Value. */
function toValue(json: unknown): Fields {
  if (json === null) return { nullValue: 0 };
  if (typeof json === 'string') return { stringValue: json };
  if (typeof json === 'number') return { numberValue: json };
  if (typeof json === 'boolean') return { boolValue: json };
  if (Array.isArray(json)) return { listValue: { values: json.map(toValue) } };
  return { structValue: toStruct(json as Fields) };
}
