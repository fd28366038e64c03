/**
 * What a user gets: the library is packed, installed in an empty project, and the example runs as it is printed, as an
 * ES module and as CommonJS, on each Node.js.
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../apps/fit-check/test/ports.ts';
import { atPort, linesOf, printedExample, SUPPLIED, toCommonJs } from './pack/example.ts';
import { createProject, type Project } from './pack/project.ts';
import { runService, type ServiceRun } from './pack/service.ts';
import { findNode, type NodeBinary } from './runtimes/nodes.ts';

const run = promisify(execFile);
const README = new URL('../../../README.md', import.meta.url);
const PACKAGE_README = new URL('../README.md', import.meta.url);

interface Adapter {
  readonly adapter: string;
  /** What its users install beside the library. */
  readonly packages: readonly string[];
  /** The page that its example is printed on. */
  readonly page: URL;
}

/** One line an adapter. */
const ADAPTERS: readonly Adapter[] = [{ adapter: 'fastify', packages: ['fastify@5'], page: README }];

const FORMS = ['ESM', 'CommonJS'] as const;
/** Node's own word on CommonJS that requires an ES module, in the versions where that is new. */
const EXPECTED_STRAY = /ExperimentalWarning: (?:CommonJS module|Support for loading ES Module)|--trace-warnings/;

const nodes = await Promise.all([20, 22, 24].map(findNode));
const packages = [...new Set(ADAPTERS.flatMap((each) => each.packages)), '@types/node@20'];
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
      expect(installed.sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
    });

    for (const each of ADAPTERS) for (const node of nodes) for (const form of FORMS) describeExample(each, node, form);

    for (const each of ADAPTERS) {
      test(`the example of ${each.adapter} is under 15 lines, and compiles without skipping types`, async () => {
        const example = printedExample(each.page, `binnacle/${each.adapter}`);
        expect(linesOf(example)).toBeLessThan(15);
        await compile(each.adapter, example);
      });
    }

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

function describeExample({ adapter, page }: Adapter, node: NodeBinary, form: (typeof FORMS)[number]): void {
  const why = 'missing' in node ? node.missing : undefined;
  const name = `the example of ${adapter}, ${form}, on Node.js ${'version' in node ? node.version : node.major}`;
  describe.skipIf(why !== undefined)(why === undefined ? name : `${name} (skipped: ${why})`, () => {
    let told: ServiceRun;
    beforeAll(async () => {
      if (!('path' in node)) throw new Error(node.missing);
      const port = await freePort();
      const example = atPort(printedExample(page, `binnacle/${adapter}`), port);
      const code = form === 'ESM' ? example : toCommonJs(example);
      const file = here.write(`${adapter}-${node.major}.${form === 'ESM' ? 'mjs' : 'cjs'}`, code + SUPPLIED);
      told = await runService(node.path, file, here.folder, port);
    });

    test('answers, and counts what it answered', () => {
      expect([told.status, told.answer]).toEqual([200, { text: 'It fits: a fact' }]);
      expect(told.metrics).toContain('\nanswers_requests_total{status="success"} 1\n');
      expect(told.metrics).toContain('\nanswers_phase_completions_total{phase="research",status="success"} 1\n');
      const labels = '{http_request_method="POST",url_scheme="http",http_route="/ask",http_response_status_code="200"}';
      expect(told.metrics).toContain(`\nhttp_server_request_duration_seconds_count${labels} 1\n`);
      expect(told.probes).toEqual({ '/health': 200, '/health/live': 200, '/health/ready': 200 });
    });

    test('tells the request in one closing line, and one trace', () => {
      const closing = told.lines.filter(({ message }) => String(message).endsWith('Request completed'));
      expect(closing).toMatchObject([{ level: 'INFO', route: '/ask', http_status: 200, status: 'success' }]);
      expect(Object.keys(closing[0]?.phases as object)).toEqual(['research', 'verdict']);
      expect(told.spans.map(({ name }) => name).sort()).toEqual(['POST /ask', 'phase research', 'phase verdict']);
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
