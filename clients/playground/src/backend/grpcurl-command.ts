// A call as a grpcurl command for a shell.

import type { About } from './bridge';
import type { Method, Request } from './requests';

// The defaults of `roomcast dev`, used until `about` is loaded.
const DEFAULTS: About['grpcurl'] = { options: '-plaintext', address: '127.0.0.1:50051' };

export function grpcurlCommand(
  settings: About['grpcurl'] | undefined,
  method: Method,
  request: Request,
): string {
  const { options, address } = settings ?? DEFAULTS;
  return `grpcurl ${options} -d ${quote(JSON.stringify(request))} ${address} roomcast.v1.SessionService/${method}`;
}

// Quotes a text as one argument of a shell command.
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
