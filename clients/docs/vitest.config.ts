import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'docs',
    include: ['tests/**/*.test.ts'],
    environment: 'node',
    // The tests install packages.
    testTimeout: 240_000,
    hookTimeout: 60_000,
  },
});
