import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const TESTS = ['packages/*/{src,test}/**/*.test.ts', 'apps/*/{src,test,client,page}/**/*.test.ts', 'test/**/*.test.ts'];
const NOT_OURS = ['**/node_modules/**', '**/dist/**'];

/**
 * Files that hold a time which somebody was promised, or that prove nothing where servers answer late: they run after
 * the others, one at a time, lest a neighbour's work be taken for ours.
 */
const ALONE = [
  'apps/fit-check/test/instances.test.ts',
  'packages/binnacle/src/ai/clients/google.test.ts',
  'packages/binnacle/src/console/otlp-in.test.ts',
  'packages/binnacle/test/collector-states.test.ts',
];

export default defineConfig({
  resolve: {
    alias: [
      { find: /^binnacle$/, replacement: source('packages/binnacle/src/index.ts') },
      {
        find: /^binnacle\/(node|fastify|express|hono|nest)$/,
        replacement: source('packages/binnacle/src/adapters/$1.ts'),
      },
      { find: /^binnacle\/testing$/, replacement: source('packages/binnacle/src/testing/index.ts') },
    ],
  },
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: TESTS,
          exclude: [...NOT_OURS, ...ALONE],
          // Two at least: most of them wait for processes and sockets, and on two processors there would be one.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ALONE,
          exclude: NOT_OURS,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
