import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

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
    include: ['packages/*/{src,test}/**/*.test.ts', 'apps/*/{src,test,client,page}/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    // Two at least: most of them wait for processes and sockets, and on two processors there would be one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
