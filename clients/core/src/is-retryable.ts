import type { ErrorCode } from './generated.js';

const RETRYABLE: readonly ErrorCode[] = ['unavailable', 'rate_limited'];

/** Whether the same request may succeed later without any other change. */
export function isRetryable(code: ErrorCode): boolean {
  return RETRYABLE.includes(code);
}
