import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: ['*/vitest*.config.ts'],
    // The tests mostly wait for processes, so more workers than cores are useful.
    maxWorkers: 4,
  },
});
