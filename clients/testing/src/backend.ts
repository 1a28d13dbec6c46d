import { join } from 'node:path';

import { type Client, credentials, loadPackageDefinition, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

import type { RoomcastProcess } from './roomcast-process.js';

type Fields = Record<string, unknown>;
type Callback = (error: ServiceError | null, response: Fields) => void;
type Method = (request: Fields, options: { deadline: number }, callback: Callback) => void;
type Service = new (address: string, credentials: unknown, options: Fields) => Client;

const PROTO = join(import.meta.dirname, '../../../proto');
const DEADLINE_MS = 10_000;
/** Short delays, so that a restarted control plane is reached soon. */
const CHANNEL_OPTIONS = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 500 };

/** A backend that calls the real control plane over gRPC. Fields are in camelCase, enum values have their proto names. */
export class Backend {
  #client: Client;

  constructor(address: string) {
    const options = { includeDirs: [PROTO], longs: String, enums: String };
    const loaded = loadPackageDefinition(loadSync('roomcast/v1/session_service.proto', options));
    const { SessionService } = (loaded['roomcast'] as unknown as { v1: { SessionService: Service } }).v1;
    this.#client = new SessionService(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  }

  static of(process: RoomcastProcess): Backend {
    return new Backend(process.address('grpc'));
  }

  /** Calls a unary method of SessionService. */
  call(method: string, request: Fields): Promise<Fields> {
    const implementation = (this.#client as unknown as Record<string, Method | undefined>)[method];
    if (implementation === undefined) throw new Error(`SessionService has no ${method}`);
    return new Promise((resolve, reject) => {
      implementation.call(
        this.#client,
        request,
        { deadline: Date.now() + DEADLINE_MS },
        (error, response) => {
          if (error === null) resolve(response);
          else reject(error);
        },
      );
    });
  }

  /** Creates or replaces a session. `roles` is such as `{ alice: 'interviewer' }`; unset: the participants stay unchanged. */
  publish(id: string, status: string, roles?: Record<string, string>, attributes: Fields = {}) {
    const list = Object.entries(roles ?? {}).map(([userId, role]) => ({ userId, role: roleOf(role) }));
    const participants = roles === undefined ? {} : { participants: { list } };
    const session = { id, status, ...participants, attributes: toStruct(attributes) };
    return this.call('PublishSessionUpdate', { session });
  }

  selectRole(sessionId: string, userId: string, role: string) {
    return this.call('SelectRole', { sessionId, userId, role: roleOf(role) });
  }

  /** `userIds` empty: every participant. */
  requireFeedback(sessionId: string, userIds: string[] = []) {
    return this.call('RequireFeedback', { sessionId, userIds });
  }

  updateFeedback(sessionId: string, feedbackId: string, updates: Fields = {}, options: FeedbackOptions = {}) {
    const newFeedback =
      options.newFeedback === undefined ? {} : { newFeedback: toStruct(options.newFeedback) };
    const { authorId = '' } = options;
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

interface FeedbackOptions {
  /** The user whose pending feedback this settles. */
  authorId?: string;
  newFeedback?: Fields;
}

function roleOf(name: string): string {
  return `ROLE_${name.toUpperCase()}`;
}

/** Converts a JSON object to a google.protobuf.Struct. */
function toStruct(json: Fields): Fields {
  return { fields: Object.fromEntries(Object.entries(json).map(([key, value]) => [key, toValue(value)])) };
}

/** Converts a JSON value to a google.protobuf.Value. */
function toValue(json: unknown): Fields {
  if (json === null) return { nullValue: 0 };
  if (typeof json === 'string') return { stringValue: json };
  if (typeof json === 'number') return { numberValue: json };
  if (typeof json === 'boolean') return { boolValue: json };
  if (Array.isArray(json)) return { listValue: { values: json.map(toValue) } };
  return { structValue: toStruct(json as Fields) };
}
