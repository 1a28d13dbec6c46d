// A call as a person pastes it into a shell.

import type { About } from './bridge';
import type { Method, Request } from './requests';

// What a plain `roomcast dev` prints, until it has said how it is reached.
const PLAIN: About['grpcurl'] = { options: '-plaintext', address: '127.0.0.1:50051' };

export function grpcurl(reach: About['grpcurl'] | undefined, method: Method, request: Request): string {
  const { options, address } = reach ?? PLAIN;
  return `grpcurl ${options} -d ${quoted(JSON.stringify(request))} ${address} roomcast.v1.SessionService/${method}`;
}

// One word of a shell, whatever it holds.
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
