import { defineConfig } from 'vitest/config';

import { sources } from '../vitest.shared.js';

export default defineConfig({
  resolve: { alias: sources },
  test: {
    name: 'core',
    include: ['tests/**/*.test.ts'],
    environment: 'node',
    testTimeout: 40_000,
    hookTimeout: 40_000,
  },
});
