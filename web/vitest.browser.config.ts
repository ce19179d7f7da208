import { defineConfig } from 'vitest/config';

// One browser, one test file after the other: they share a machine with the server they drive.
export default defineConfig({
  test: {
    include: ['tests/browser/**/*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
