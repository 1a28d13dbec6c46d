import { fileURLToPath } from 'node:url';

/** A `resolve.alias` that lets tests use the sources of the packages instead of their builds. */
export const sources = {
  '@roomcast/core': fileURLToPath(new URL('./core/src/index.ts', import.meta.url)),
};
