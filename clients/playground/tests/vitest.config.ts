import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitest/config';

// A separate step of tests/run, because these tests need Chromium and a binary that contains the built page.
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
