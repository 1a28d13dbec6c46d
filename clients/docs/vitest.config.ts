import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'docs',
    include: ['tests/**/*.test.ts'],
    environment: 'node',
    // Packages are installed on the way.
    testTimeout: 240_000,
    hookTimeout: 60_000,
  },
});
