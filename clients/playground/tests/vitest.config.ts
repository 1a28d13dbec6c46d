import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitest/config';

// A step of its own: these need Chromium, and the binary with the page in it.
export default defineConfig({
  test: {
    name: 'playground',
    root: fileURLToPath(new URL('.', import.meta.url)),
    include: ['*.test.ts'],
    environment: 'node',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
  },
});
