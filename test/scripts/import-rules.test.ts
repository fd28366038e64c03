import { describe, expect, test } from 'vitest';
import { loadScript } from './module.ts';

const { brokenImports } = await loadScript<{ brokenImports(files: Map<string, string>): string[] }>('import-rules.mjs');

const SOURCE = 'packages/binnacle/src/';
const broken = (files: Record<string, string>): string[] =>
  brokenImports(new Map(Object.entries(files).map(([path, text]) => [SOURCE + path, text])));

/** The one complaint about a file with this one import. */
const complaint = (path: string, statement: string): string => {
  const all = broken({ [path]: `// first line\n${statement}\n` });
  expect(all).toHaveLength(1);
  return all[0] ?? '';
};

describe('what stands under every room', () => {
  test.each(['context.ts', 'settings.ts', 'settings-otel.ts', 'catalogue.ts', 'faults.ts', 'signals.ts'])(
    '%s imports no room',
    (path) => {
      expect(complaint(path, `import type { A } from './logs/a.ts';`)).toMatch(
        new RegExp(`^${SOURCE}${path}:2 imports \\./logs/a\\.ts: .*imports none; move`),
      );
    },
  );

  test('nor does it import what knows every room', () => {
    expect(complaint('faults.ts', `import { observe } from './observe.ts';`)).toMatch(/under every room/);
    expect(complaint('faults.ts', `import { observe } from 'binnacle';`)).toMatch(/under every room/);
  });

  test('a file that it imports stands there too', () => {
    const files = { 'settings.ts': `import { a } from './parse.ts';`, 'parse.ts': `import { b } from './logs/b.ts';` };
    expect(broken(files)).toEqual([
      expect.stringMatching(/parse\.ts:1 imports \.\/logs\/b\.ts: parse\.ts stands under/),
    ]);
  });

  test('signals.ts holds types alone', () => {
    expect(complaint('signals.ts', `import { A } from './catalogue.ts';`)).toMatch(/types alone/);
  });

  test('they import each other and packages', () => {
    const files = {
      'faults.ts': `import type { WriteLine } from './signals.ts';\nimport { a } from './context.ts';`,
      'context.ts': `import { EventEmitter } from 'node:events';\nimport { ROOT_CONTEXT } from '@opentelemetry/api';`,
    };
    expect(broken(files)).toEqual([]);
  });
});

describe('signals', () => {
  test.each(['metrics', 'logs', 'traces', 'health'])('%s imports no other signal, not even a type', (room) => {
    const other = room === 'logs' ? 'traces' : 'logs';
    expect(complaint(`${room}/deep/a.ts`, `import type { B } from '../../${other}/b.ts';`)).toMatch(
      /through context\.ts/,
    );
  });

  test('nor a subject, nor what knows every room', () => {
    expect(complaint('metrics/a.ts', `import { b } from '../http/b.ts';`)).toMatch(/http tells it, not the other way/);
    expect(complaint('metrics/a.ts', `import { b } from '../index.ts';`)).toMatch(/let observe\.ts hand in/);
  });

  test('they import their own room, what stands under every room, and packages', () => {
    const text = `import { a } from './b.ts';\nimport { c } from '../context.ts';\nimport { pino } from 'pino';`;
    expect(broken({ 'logs/a.ts': text })).toEqual([]);
  });
});

describe('subjects', () => {
  test.each(['http', 'ai', 'work'])('%s imports no signal, not even a type', (room) => {
    expect(complaint(`${room}/a.ts`, `import type { B } from '../metrics/b.ts';`)).toMatch(/only through signals\.ts/);
  });

  test('nor another subject', () => {
    expect(complaint('ai/a.ts', `import { b } from '../work/b.ts';`)).toMatch(/ai and work are subjects/);
    expect(complaint('work/a.ts', `import { b } from '../http/b.ts';`)).toMatch(/work and http are subjects/);
  });

  test('nor what stands above it', () => {
    expect(complaint('ai/a.ts', `import { b } from '../observe.ts';`)).toMatch(/below observe\.ts/);
    expect(complaint('http/a.ts', `import { b } from '../adapters/fastify.ts';`)).toMatch(/below adapters/);
  });

  test.each([
    'fastify',
    'fastify-plugin',
    '@fastify/cors',
    'express',
    'hono/streaming',
    'pino',
    '@opentelemetry/exporter-trace-otlp-http',
    '@opentelemetry/sdk-trace',
  ])('nor the package %s', (name) => {
    expect(complaint('http/a.ts', `import type { A } from '${name}';`)).toMatch(/no exporter or framework/);
  });

  test('they import their own room, signals.ts and other packages', () => {
    const text = `import type { Signals } from '../signals.ts';\nimport { b } from './b.ts';\nimport { c } from 'cockatiel';\nimport { context } from '@opentelemetry/api';`;
    expect(broken({ 'work/a.ts': text })).toEqual([]);
  });
});

describe('adapters', () => {
  test('import http, their framework and the type of what observe returns', () => {
    const text = `import { exchange } from '../http/exchange.ts';\nimport type { Observed } from '../observe.ts';\nimport type { B } from '../index.ts';\nimport type { FastifyInstance } from 'fastify';\nimport fp from 'fastify-plugin';`;
    expect(broken({ 'adapters/fastify.ts': text })).toEqual([]);
  });

  test.each([
    [`import { observe } from '../observe.ts';`, /take its type by `import type`/],
    [`import { type Observed } from '../observe.ts';`, /take its type by `import type`/],
    [`import type { A } from '../context.ts';`, /reach the rest through http\//],
    [`import { a } from '../logs/a.ts';`, /reach the rest through http\//],
    [`import { a } from './express.ts';`, /reach the rest through http\//],
    [`import express from 'express';`, /its framework alone/],
    [`import { trace } from '@opentelemetry/api';`, /its framework alone/],
  ])('do not: %s', (statement, why) => {
    expect(complaint('adapters/fastify.ts', statement)).toMatch(why);
  });
});

describe('who knows more than one room', () => {
  const two = `import { a } from './logs/a.ts';\nimport { b } from './metrics/b.ts';`;

  test('observe.ts, index.ts and observe/', () => {
    expect(broken({ 'observe.ts': two, 'index.ts': two, 'observe/wiring.ts': two.replaceAll('./', '../') })).toEqual(
      [],
    );
  });

  test('no other file beside the rooms', () => {
    expect(broken({ 'measure.ts': `import { a } from './logs/a.ts';` })).toEqual([]);
    expect(broken({ 'measure.ts': two })).toEqual([
      expect.stringMatching(/measure\.ts:2 imports \.\/metrics\/b\.ts: only observe\.ts knows more than one room/),
    ]);
  });

  test('no room that has no rules of its own', () => {
    expect(complaint('testing/a.ts', `import { b } from '../logs/b.ts';`)).toMatch(
      /only observe\.ts knows more than one/,
    );
  });

  test('nobody imports testing, which imports observe.ts', () => {
    expect(broken({ 'testing/a.ts': `import { compose } from '../observe.ts';` })).toEqual([]);
    for (const path of ['observe.ts', 'http/a.ts', 'adapters/fastify.ts', 'health/a.ts']) {
      const up = path.includes('/') ? '..' : '.';
      expect(complaint(path, `import { a } from '${up}/testing/a.ts';`)).toMatch(/nothing imports it/);
    }
  });

  test('tests may', () => {
    expect(broken({ 'logs/a.test.ts': `import { b } from '../metrics/b.ts';` })).toEqual([]);
  });
});

describe('the console', () => {
  test('imports the files beside the rooms, and types of signals', () => {
    const text = `import { a } from '../settings.ts';\nimport type { B } from '../metrics/b.ts';\nimport { c } from './c.ts';`;
    expect(broken({ 'console/a.ts': text })).toEqual([]);
    expect(complaint('console/a.ts', `import { b } from '../metrics/b.ts';`)).toMatch(/types of signals/);
    expect(complaint('console/a.ts', `import type { B } from '../http/b.ts';`)).toMatch(/hand in what/);
    expect(complaint('console/a.ts', `import type { B } from '../observe.ts';`)).toMatch(/hand in what/);
  });

  test('is loaded by observe/ where it is on, and by nobody else', () => {
    const lazily = `const { a } = await import('../console/a.ts');`;
    const types = `import type { A } from '../console/a.ts';`;
    expect(broken({ 'observe/console.ts': `${types}\n${lazily}` })).toEqual([]);
    expect(broken({ 'cli/console.ts': `import { a } from '../console/a.ts';` })).toEqual([]);
    expect(complaint('observe/console.ts', `import { a } from '../console/a.ts';`)).toMatch(/by `import\(\)`/);
    expect(complaint('observe.ts', `export { a } from './console/a.ts';`)).toMatch(/by `import\(\)`/);
    for (const path of ['http/a.ts', 'traces/a.ts', 'adapters/node.ts']) {
      expect(complaint(path, lazily)).toMatch(/only observe\/ knows the console/);
      expect(complaint(path, types)).toMatch(/only observe\/ knows the console/);
    }
    expect(complaint('settings.ts', `import type { A } from './console/a.ts';`)).toMatch(/only observe\/ knows/);
  });
});

describe('circles', () => {
  test('of values are told once, with the way round', () => {
    const files = {
      'http/a.ts': `import { b } from './b.ts';`,
      'http/b.ts': `import { c } from './c.ts';`,
      'http/c.ts': `// c\nimport { a } from './a.ts';`,
    };
    expect(broken(files)).toEqual([
      expect.stringMatching(
        /http\/a\.ts:1 imports \.\/b\.ts: a circle \(http\/a\.ts -> http\/b\.ts -> http\/c\.ts -> http\/a\.ts\)/,
      ),
    ]);
  });

  test('of types alone are none', () => {
    const files = { 'http/a.ts': `import { b } from './b.ts';`, 'http/b.ts': `import type { A } from './a.ts';` };
    expect(broken(files)).toEqual([]);
  });

  test('a file that only leads to a circle is not blamed', () => {
    const files = {
      'http/a.ts': `import { b } from './b.ts';`,
      'http/b.ts': `import { c } from './c.ts';`,
      'http/c.ts': `import { b } from './b.ts';`,
    };
    expect(broken(files)).toEqual([expect.stringContaining('http/b.ts:1 imports ./c.ts: a circle')]);
  });
});

describe('the command line', () => {
  test('imports the files beside the rooms, and drivers', () => {
    const text = `import { a } from '../settings.ts';\nimport { b } from '../drivers/b.ts';\nimport { c } from './c.ts';`;
    expect(broken({ 'cli/a.ts': text })).toEqual([]);
  });

  test('imports no signal, and not what knows every room', () => {
    expect(complaint('cli/a.ts', `import { b } from '../metrics/b.ts';`)).toMatch(/nothing else/);
    expect(complaint('cli/a.ts', `import { observe } from '../observe.ts';`)).toMatch(/nothing else/);
  });

  test.each(['observe.ts', 'index.ts', 'settings.ts', 'http/a.ts', 'adapters/fastify.ts', 'shutdown.ts'])(
    '%s does not import it',
    (path) => {
      const up = path.includes('/') ? '..' : '.';
      expect(complaint(path, `import { run } from '${up}/cli/run.ts';`)).toMatch(/nothing imports it/);
    },
  );
});
