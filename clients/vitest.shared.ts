import { fileURLToPath } from 'node:url';

/** Tests run on the sources of the packages here, not on what was built of them. For a `resolve.alias`. */
export const sources = {
  '@roomcast/core': fileURLToPath(new URL('./core/src/index.ts', import.meta.url)),
};
