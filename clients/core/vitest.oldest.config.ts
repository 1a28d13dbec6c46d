import { defineConfig } from 'vitest/config';

// Runs the resume tests with the oldest supported socket.io-client.
export default defineConfig({
  resolve: { alias: { 'socket.io-client': 'socket.io-client-4.6' } },
  test: {
    name: 'core-4.6',
    include: ['tests/real/resume.test.ts'],
    testTimeout: 40_000,
    hookTimeout: 40_000,
  },
});
