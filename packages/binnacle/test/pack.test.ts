/**
 * What a user gets: the library is packed, installed in an empty project, and the examples run as they are printed, as
 * ES modules and as CommonJS, on each Node.js.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { atPort, linesOf, printedExample, SUPPLIED, toCommonJs, withoutTypes } from './pack/example.ts';
import { quietPort } from './pack/port.ts';
import { createProject, type Project } from './pack/project.ts';
import { runService, type ServiceRun, type ServiceToRun } from './pack/service.ts';
import { findNode, type NodeBinary } from './runtimes/nodes.ts';

const run = promisify(execFile);
const README = new URL('../../../README.md', import.meta.url);
const PACKAGE_README = new URL('../README.md', import.meta.url);

/** What users of an adapter install beside the library: one line an adapter. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  node: [],
  fastify: ['fastify@5'],
  express: ['express@5'],
  hono: ['hono@4', '@hono/node-server@2'],
  nest: ['@nestjs/common@12', '@nestjs/core@12', '@nestjs/platform-express@12', 'reflect-metadata@0.2', 'rxjs@7'],
};

interface Example {
  readonly name: string;
  readonly adapter: string;
  /** Its code, for a port, as JavaScript. */
  code(port: number): string | Promise<string>;
  readonly ask: ServiceToRun['ask'];
  /** What it answers, and what is told of it. */
  check(told: ServiceRun): void;
}

/** The one that is printed on the first page. */
const PRINTED: Example = {
  name: 'the printed example',
  adapter: 'fastify',
  code: (port) => atPort(printedExample(README, 'binnacle/fastify'), port) + SUPPLIED,
  ask: { method: 'POST', path: '/ask' },
  check({ answer, metrics, lines, spans }) {
    expect(JSON.parse(answer)).toEqual({ text: 'It fits: a fact' });
    expect(metrics).toContain('\nanswers_requests_total{status="success"} 1\n');
    expect(metrics).toContain('\nanswers_phase_completions_total{phase="research",status="success"} 1\n');
    expect(countOf(metrics, 'POST', '/ask')).toBe('1');
    const [closing] = lines.filter(({ request_id, route }) => request_id === 'asked' && route === '/ask');
    expect(Object.keys(closing?.phases as object)).toEqual(['research', 'verdict']);
    expect(spans.map(({ name }) => name).sort()).toEqual(['POST /ask', 'phase research', 'phase verdict']);
  },
};

/** The smallest service of each adapter, from `examples/`, where that is: each streams three events. */
const SMALLEST: readonly Example[] = examplesOf(new URL('../../../examples/', import.meta.url));

function examplesOf(folder: URL): Example[] {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => /^\w+\.ts$/.test(name)) : [];
  return files.map((file) => ({
    name: `examples/${file}`,
    adapter: file.slice(0, -'.ts'.length),
    code: () => withoutTypes(readFileSync(new URL(file, folder), 'utf8')),
    ask: { method: 'GET', path: '/stream/one' },
    check({ answer, metrics, spans }) {
      expect(answer.match(/^data: ?\d$/gm)).toHaveLength(3);
      expect(metrics).toContain('\nhttp_server_stream_events_total{http_route="/stream/:id"} 3\n');
      expect(countOf(metrics, 'GET', '/stream/:id')).toBe('1');
      expect(spans.map(({ name }) => name)).toEqual(['GET /stream/:id']);
    },
  }));
}

function countOf(metrics: string, method: string, route: string): string | undefined {
  const labels = `{http_request_method="${method}",url_scheme="http",http_route="${route}",http_response_status_code="200"}`;
  const row = metrics
    .split('\n')
    .find((line) => line.startsWith(`http_server_request_duration_seconds_count${labels} `));
  return row?.split(' ').at(-1);
}

const EXAMPLES = [PRINTED, ...SMALLEST];

const FORMS = ['ESM', 'CommonJS'] as const;
/** Node's own word on CommonJS that requires an ES module, in the versions where that is new. */
const EXPECTED_STRAY = /ExperimentalWarning: (?:CommonJS module|Support for loading ES Module)|--trace-warnings/;

const nodes = await Promise.all([20, 22, 24, 26].map(findNode));
const packages = [...new Set(EXAMPLES.flatMap(({ adapter }) => PACKAGES[adapter] ?? [])), '@types/node@20'];
const project = await createProject(packages);
const missing = 'missing' in project ? project.missing : undefined;
const here = project as Project;

afterAll(() => {
  if (missing === undefined) here.remove();
});

describe.skipIf(missing !== undefined)(
  `the package, installed${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    test('is what was packed, and needs no second copy of anything', () => {
      const installed = readdirSync(join(here.folder, 'node_modules', 'binnacle'));
      expect(installed.sort()).toEqual(['LICENSE', 'NOTICE', 'README.md', 'dist', 'package.json']);
    });

    test('has packages for the adapter of each example', () => {
      expect(EXAMPLES.map(({ adapter }) => adapter).filter((adapter) => PACKAGES[adapter] === undefined)).toEqual([]);
    });

    for (const example of EXAMPLES)
      for (const node of nodes) for (const form of FORMS) describeExample(example, node, form);

    test('the printed example is under 15 lines, and compiles without skipping types', async () => {
      const code = printedExample(README, 'binnacle/fastify');
      expect(linesOf(code)).toBeLessThan(15);
      await compile('fastify', code);
    });

    test('its command answers', async () => {
      const { stdout } = await run(join(here.folder, 'node_modules/.bin/binnacle'), ['--version'], {
        cwd: here.folder,
      });
      expect(stdout).toMatch(/\d+\.\d+\.\d+/);
    });

    test("a user's test of telemetry passes as it is printed", async () => {
      const file = here.write(
        'telemetry.mjs',
        printedExample(PACKAGE_README, 'binnacle/testing')
          .replace(/^t\.lines\(\)\.at\(-1\);.*$/m, 'const line = t.lines().at(-1);')
          .replace(/^t\.spans\(\);.*$/m, 'const spans = t.spans();')
          .replace(/^await asked;.*$/m, 'const ended = await asked;')
          .replace(/^await t\.value\((.*)\);.*$/m, 'const value = await t.value($1);')
          .concat('console.log(JSON.stringify([ended, line, spans, value]));'),
      );
      const { stdout } = await run(process.execPath, [file], { cwd: here.folder });
      expect(JSON.parse(stdout)).toMatchObject([
        'TimeoutError',
        { message: '[s1] Request completed', status: 'timeout', duration_ms: 60_000 },
        [{ name: 'session', status: 'error', durationMs: 60_000 }],
        1,
      ]);
    });
  },
);

function describeExample(example: Example, node: NodeBinary, form: (typeof FORMS)[number]): void {
  const why = 'missing' in node ? node.missing : undefined;
  const name = `${example.name}, ${form}, on Node.js ${'version' in node ? node.version : node.major}`;
  describe.skipIf(why !== undefined)(why === undefined ? name : `${name} (skipped: ${why})`, () => {
    let told: ServiceRun;
    beforeAll(async () => {
      if (!('path' in node)) throw new Error(node.missing);
      const port = await quietPort();
      const code = await example.code(port);
      const stem = `${example.name.replaceAll(/\W/g, '-')}-${node.major}`;
      const file = form === 'ESM' ? here.write(`${stem}.mjs`, code) : here.write(`${stem}.cjs`, toCommonJs(code));
      told = await runService({ node: node.path, file, folder: here.folder, port, ask: example.ask });
    });

    test('answers, and every signal tells it', () => {
      expect([told.status, told.probes]).toEqual([200, { '/health': 200, '/health/live': 200, '/health/ready': 200 }]);
      example.check(told);
      const closing = told.lines.filter(
        ({ request_id, message }) => request_id === 'asked' && String(message).endsWith('Request completed'),
      );
      expect(closing).toMatchObject([{ level: 'INFO', http_status: 200, status: 'success' }]);
      expect(new Set(told.spans.map(({ traceId }) => traceId))).toEqual(new Set([closing[0]?.trace_id]));
    });

    test('ends on SIGTERM with 0, with its last words and no others', () => {
      expect(told.exit).toBe(0);
      expect(told.lines.map(({ message }) => message)).toContain('Shut down');
      expect(told.lines.filter(({ level }) => level !== 'INFO' && level !== 'DEBUG')).toEqual([]);
      expect(told.strays.filter((line) => !EXPECTED_STRAY.test(line))).toEqual([]);
    });
  });
}

/** The example as a user's TypeScript, and the same library required by CommonJS, with all declarations checked. */
async function compile(adapter: string, example: string): Promise<void> {
  const supplied = `
async function research(_signal: AbortSignal): Promise<string[]> { return []; }
async function answer(facts: string[], _signal: AbortSignal): Promise<{ text: string }> { return { text: facts.join() }; }
`;
  here.write(`${adapter}.mts`, example + supplied);
  here.write(
    `${adapter}.cts`,
    `import binnacle = require('binnacle');
import adapter = require('binnacle/${adapter}');
import { observeForTest } from 'binnacle/testing';
const obs: binnacle.Observability = observeForTest({ service: 'answers' });
const jobs = obs.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['queue'] });
jobs.inc({ queue: 'a' });
// @ts-expect-error a label that is misspelt
jobs.inc({ qeue: 'a' });
export const names: string[] = Object.keys(adapter);
`,
  );
  const compilerOptions = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: ['node'] };
  const tsconfig = { compilerOptions, files: [`${adapter}.mts`, `${adapter}.cts`] };
  const config = here.write(`tsconfig.${adapter}.json`, JSON.stringify(tsconfig));
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  await run(process.execPath, [tsc, '-p', config], { cwd: here.folder }).catch((error: { stdout: string }) => {
    throw new Error(error.stdout);
  });
}
