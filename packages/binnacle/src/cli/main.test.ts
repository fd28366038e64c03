import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Compiled, compileModules } from '../../test/compiled.ts';
import { installed, makeProject, refusedUrl, serve } from './testing-project.test-helper.ts';

let compiled: Compiled;
beforeAll(async () => {
  compiled = await compileModules('cli/main.ts');
});
afterAll(() => compiled?.remove());

interface Run {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function binnacle(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Promise<Run> {
  const main = join(compiled.folder, 'cli/main.js');
  const env = { PATH: process.env.PATH ?? '', ...options.env };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { cwd: options.cwd, env }, (_error, out, err) => {
      resolve({ status: child.exitCode ?? -1, out, err });
    });
  });
}

test('a project without problems ends with 0, and the report can be read', async () => {
  const collector = await serve((_req, res) => res.end());
  const folder = makeProject({
    'package.json': { dependencies: { binnacle: '*', fastify: '^5', ioredis: '^6' } },
    'src/app.ts': `import { observe } from 'binnacle';\nimport { observeFastify } from 'binnacle/fastify';\n`,
    ...installed({ binnacle: '0.1.0', fastify: '5.12.8', ioredis: '6.0.0' }),
  });
  const run = await binnacle(['doctor'], { cwd: folder, env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
  expect({ ...run, out: run.out.replace(/\n.*node:http client.*\n( {10}.*\n)?/, '\n') }).toEqual({
    status: 0,
    err: '',
    out: expect.stringMatching(/^Binnacle \S+: doctor of /),
  });
  expect(run.out).toContain(`Libraries
  ok       fetch             of Node.js itself: observed
  ok       fastify 5.12.8    observed by binnacle/fastify, which is imported in src/app.ts:2
  ok       ioredis 6.0.0     observed, by its diagnostics channels

Traces
  ok       exporter          ${collector.url}/v1/traces takes spans (200, http/protobuf)
  ok       sampler           parentbased_always_on: all traces that start here are sent

Metrics & logs
  ok       metrics           /metrics answers without a token
  ok       logs              text, from INFO on (development)

Running service
  note     service           not asked
                             -> ask a running one: --url http://localhost:8000
`);
  expect(run.out).toMatch(/\n\nNo problems, \d notes?, \d+ ok\.\n$/);
  expect(run.out).not.toContain('\u001b');
});

test('problems end with 1; JSON says the same; no secret is in either', async () => {
  const url = (await refusedUrl()).replace('//', '//me:hush-1@');
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/?key=hush-2`,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=hush-3',
    METRICS_TOKEN: 'hush-4',
    LOG_LEVEL: 'LOUD',
    REDIS_URL: 'redis://:hush-5@cache',
  };
  const args = ['doctor', '--dir', makeProject({}), '--url', `${url}/hush`.replace('/hush', '')];
  const [text, json] = await Promise.all([binnacle(args, { env }), binnacle([...args, '--json'], { env })]);
  expect([text.status, json.status, text.err, json.err]).toEqual([1, 1, '', '']);
  expect(text.out + json.out).not.toContain('hush');
  const { sections, sum } = JSON.parse(json.out) as { sections: { findings: object[] }[]; sum: { problem: number } };
  expect(sections.flatMap(({ findings }) => findings)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ mark: 'problem', subject: 'exporter' }),
      expect.objectContaining({ mark: 'problem', subject: 'LOG_LEVEL' }),
      expect.objectContaining({ mark: 'problem', subject: 'service', what: 'cannot be reached: ECONNREFUSED' }),
      expect.objectContaining({ mark: 'note', subject: 'package.json' }),
    ]),
  );
  expect(text.out).toMatch(new RegExp(`\n${sum.problem} problems, `));
});

test('wrong usage is one line and 2; help is 0', async () => {
  const [wrong, help] = await Promise.all([binnacle(['doctor', '--port']), binnacle(['--help'])]);
  expect(wrong).toEqual({ status: 2, out: '', err: expect.stringMatching(/^binnacle: no such option: --port; .*\n$/) });
  expect(help).toEqual({ status: 0, err: '', out: expect.stringContaining('Usage: binnacle doctor') });
});
