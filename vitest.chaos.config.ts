import { defineConfig } from 'vitest/config';

/** Failures under load, each with its table: `npm run chaos`. */
export default defineConfig({
  test: {
    include: ['apps/*/test/chaos/*.chaos.ts'],
    testTimeout: 900_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    reporters: ['verbose'],
  },
});
