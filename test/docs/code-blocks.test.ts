/** Every fenced block of README.md and docs/: compiled, parsed, run, or the business of a test that is named. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { variables as fitCheckVariables } from '../../apps/fit-check/src/variables.ts';
import { startService } from '../../apps/fit-check/test/service.ts';
import { until } from '../../apps/fit-check/test/until.ts';
import { checkPrices } from '../../packages/binnacle/src/ai/price.ts';
import { definitions } from '../../packages/binnacle/src/catalogue.ts';
import { processDefinitions } from '../../packages/binnacle/src/catalogue-process.ts';
import { PROBE_PATHS } from '../../packages/binnacle/src/http/probes.ts';
import { createSettings } from '../../packages/binnacle/src/settings.ts';
import { otelVariables, variables } from '../../packages/binnacle/src/variables.ts';
import { modulesOf } from './preludes.ts';
import {
  allBlocks,
  type Block,
  blocksOf,
  environmentOf,
  guidePages,
  ROOT,
  RUN_WHOLE,
  WALKED,
  within,
} from './sources.ts';
import { isAsPrinted } from './walk.ts';

const run = promisify(execFile);

/** Blocks for a shell that are not run here: by how they begin, with the test that does what they do. */
const SHELL: Readonly<Record<string, string>> = {
  'npm start ': 'test/scripts/start.test.ts',
  'OPENAI_BASE_URL=http://localhost:11434/v1 LLM_MODEL=llama3.1': 'apps/fit-check/test/upstreams.test.ts',
  'docker build ': 'test/deploy/dockerfile.test.ts',
  'npm ci\nnpm pack ': 'packages/binnacle/test/walk.test.ts',
};

const KNOWN = ['ts', 'js', 'sh', 'json', 'yaml', 'promql', 'diff', 'text', 'log', ''];
const blocks = allBlocks().filter(({ page }) => !RUN_WHOLE.includes(page));
const of = (...languages: string[]): Block[] => blocks.filter(({ language }) => languages.includes(language));
const placeOf = ({ page, line }: Block): string => `${page}:${line}`;

/** Whether a program is there. */
async function has(program: string): Promise<boolean> {
  return run(program, ['--version']).then(
    () => true,
    () => false,
  );
}
const [curl, promtool, prometheus] = await Promise.all(['curl', 'promtool', 'prometheus'].map(has));

describe('blocks', () => {
  test('are of a language that is looked at here, and say nothing more', () => {
    const others = blocks.filter(({ language }) => !KNOWN.includes(language));
    expect(others.map((block) => `${placeOf(block)} ${block.language}`)).toEqual([]);
    expect(blocks.length).toBeGreaterThan(20);
  });

  test.each(RUN_WHOLE)('of %s are run by a test of its own', (page) => {
    const tests = ['packages/binnacle/test', 'test'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(ROOT, folder, path)),
    );
    const own = tests.filter((path) => path.endsWith('.test.ts') && path !== import.meta.filename);
    expect(own.some((path) => readFileSync(path, 'utf8').includes(`/${page}'`))).toBe(true);
  });

  test('are found, and one that does not end is told', () => {
    expect(blocksOf('p', 'a\n```ts\nx\n\n```\n```\n y\n```\n')).toEqual([
      { page: 'p', line: 2, language: 'ts', code: 'x\n\n' },
      { page: 'p', line: 6, language: '', code: ' y\n' },
    ]);
    expect(() => blocksOf('p', '```\nx')).toThrow('p:1');
  });
});

/** What TypeScript says of modules, by their names. */
function compile(modules: ReadonlyMap<string, string>): Promise<string> {
  return within(async (here) => {
    for (const [name, text] of modules) writeFileSync(join(here, name), text);
    const settings = { extends: '../../tsconfig.json', include: ['*.ts'], compilerOptions: { types: ['node'] } };
    writeFileSync(join(here, 'tsconfig.json'), JSON.stringify(settings));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    return run(process.execPath, [tsc, '-p', here, '--pretty', 'false'], { cwd: here }).then(
      () => '',
      ({ stdout }: { stdout: string }) => stdout,
    );
  });
}

const fileOf = ({ page, line }: Block, at: number): string => `${page.replaceAll(/\W/g, '-')}-${line}-${at}.ts`;

test('TypeScript and JavaScript compile, against the types of the library', { timeout: 120_000 }, async () => {
  const modules = of('ts', 'js').flatMap((block) =>
    modulesOf(block).map((text, at): [string, string] => [fileOf(block, at), text]),
  );
  expect(modules.length).toBeGreaterThan(8);
  const wrong = 'x-wrong.ts';
  const output = await compile(
    new Map([...modules, [wrong, "import { observe } from 'binnacle';\nobserve({ servise: 'x' });\n"]]),
  );
  // The one that is wrong on purpose shows that types are looked at.
  const lines = output.trim().split('\n');
  expect(lines.filter((line) => !line.startsWith(wrong))).toEqual([]);
  expect(lines[0]).toContain('servise');
});

describe('JSON', () => {
  test.each(of('json').map((block) => [placeOf(block), block] as const))('%s parses', (_place, { code }) => {
    const value: unknown = JSON.parse(code);
    if (code.includes('"models"')) expect(checkPrices(value)).toEqual(value);
  });
});

/** Every expression of PromQL: of blocks, of rules in YAML, and within the text. */
function expressions(): string[] {
  const rules = of('yaml').flatMap(({ code }) => {
    const { groups = [] } = parse(code) as { groups?: { rules: { expr: string }[] }[] };
    return groups.flatMap((group) => group.rules.map(({ expr }) => expr));
  });
  const texts = guidePages().map((page) => readFileSync(join(ROOT, page), 'utf8'));
  const inText = texts.flatMap((text) => [...text.matchAll(INLINE)].map(([, expr = '']) => expr));
  expect(inText).not.toEqual([]);
  return [...of('promql').map(({ code }) => code), ...rules, ...inText];
}

/** An expression within the text: it begins with a function or an aggregation, and has no gap. */
const INLINE =
  /`((?:sum|avg|max|min|topk|rate|increase|histogram_quantile)(?: by \([^)`]*\))? ?\((?=[^`]*\w_\w)[^`…]+)`/g;

const WORDS: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);

/** The metrics that an expression reads, each with the labels that it asks of it. */
function readBy(expression: string): { name: string; asked: string[] }[] {
  const text = expression
    .replaceAll(/"(?:\\.|[^"\\])*"/g, '""')
    .replaceAll(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, '');
  return [...text.matchAll(/(?<![\w.])([a-z_]\w*)\b(?!\s*\()(?:\{([^}]*)\})?/gi)]
    .filter(([, name = '']) => !WORDS.has(name.toLowerCase()))
    .map(([, name = '', matchers = '']) => ({
      name,
      asked: [...matchers.matchAll(/(\w+)(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    }));
}

describe('PromQL', () => {
  test('names metrics of the catalogue, with labels of theirs', () => {
    const known = new Map(
      [...Object.values(definitions), ...Object.values(processDefinitions)].flatMap(
        (row): [string, readonly string[]][] => {
          const labels = row.kind === 'histogram' ? [...row.labels, 'le'] : row.labels;
          const ends = row.kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
          const starts = row.namespaced === true ? ['answers_', 'fit_check_'] : [''];
          const names = starts.flatMap((start) => ends.map((end) => start + row.name + end));
          return names.map((each): [string, readonly string[]] => [each, labels]);
        },
      ),
    );
    // Prometheus' own, of each target.
    known.set('up', ['job', 'instance']);
    for (const expression of expressions()) {
      const names = readBy(expression);
      expect(names, expression).not.toEqual([]);
      const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
      for (const { name, asked } of names) {
        // Said by itself: an empty `arrayContaining` would take a metric that there is not.
        expect([...known.keys()], `${name} in ${expression}`).toContain(name);
        expect(known.get(name), `${name} in ${expression}`).toEqual(expect.arrayContaining([...asked, ...grouped]));
      }
    }
  });

  test('is read whole: each metric, and no function, label or word', () => {
    expect(readBy('sum by (a_b) (rate(x_total{c="d_e",f!~"g"}[5m])) / 2 > max(y_z) and up{job="x"} == 0')).toEqual([
      { name: 'x_total', asked: ['c', 'f'] },
      { name: 'y_z', asked: [] },
      { name: 'up', asked: ['job'] },
    ]);
  });

  test.skipIf(!promtool)('is what promtool takes', async () => {
    const rules = expressions().map((expr, at) => ({ record: `rule:${at}`, expr }));
    const { stdout } = await within((folder) => {
      writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'docs', rules }] }));
      return run('promtool', ['check', 'rules', join(folder, 'rules.yml')]);
    });
    expect(stdout).toContain(`${rules.length} rules found`);
  });
});

describe('YAML', () => {
  const named = (name: string): string => of('yaml').find(({ code }) => code.startsWith(`# ${name}`))?.code ?? '';

  test.each(of('yaml').map((block) => [placeOf(block), block] as const))('%s parses', (_place, { code }) => {
    expect(code).toMatch(/^# (prometheus\.yml|deployment\.yaml|rules\.yml)\n/);
    for (const document of parseAllDocuments(code)) expect(document.errors).toEqual([]);
  });

  test.skipIf(!promtool)("Prometheus' configuration and rules are what promtool takes", async () => {
    await within(async (folder) => {
      const config = join(folder, 'prometheus.yml');
      writeFileSync(config, named('prometheus.yml'));
      await run('promtool', ['check', 'config', '--syntax-only', config]);
      const rules = of('yaml').filter(({ code }) => code.startsWith('# rules.yml'));
      expect(rules.length).toBeGreaterThan(1);
      for (const [at, { code }] of rules.entries()) {
        writeFileSync(join(folder, `rules-${at}.yml`), code);
        await run('promtool', ['check', 'rules', '--lint-fatal', join(folder, `rules-${at}.yml`)]);
      }
    });
  });

  test('the manifest asks paths that answer, at the port that is set, and waits for the shutdown', () => {
    const { spec } = parse(named('deployment.yaml'));
    const { terminationGracePeriodSeconds, containers } = spec.template.spec;
    const [container] = containers;
    const env: Record<string, string> = Object.fromEntries(
      container.env.map(({ name, value }: { name: string; value: string }) => [name, value]),
    );
    const { managementPort, shutdown, host } = createSettings({ service: 'answers', env });
    const port = container.ports.find(({ name }: { name: string }) => name === 'management').containerPort;
    expect([managementPort, host]).toEqual([port, '0.0.0.0']);
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      expect(container[probe].httpGet.port).toBe('management');
      expect(PROBE_PATHS).toContain(container[probe].httpGet.path);
    }
    expect(terminationGracePeriodSeconds * 1000).toBeGreaterThan(shutdown.timeoutMs + shutdown.flushMs + 3000);
    expect(shutdown.delayMs).toBe(5000);
  });
});

/** Printed lines that no line of a text is like; a gap by itself stands for lines. */
const linesMissing = (printed: string, text: string): string[] =>
  printed.split('\n').filter((line) => line !== '…' && !text.split('\n').some((one) => isAsPrinted(line, one)));

/** Fields in their order, at any depth, with what they are: figures and ids differ from run to run. */
function shapeOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([key, held]) => [key, shapeOf(held)]);
}

test('docs/fit-check.md counts the corpus as it is', () => {
  const entries = (kind: string): number => {
    const folder = join(ROOT, 'apps/fit-check/assets/corpus', kind);
    return readdirSync(folder).flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as object[])
      .length;
  };
  const page = readFileSync(join(ROOT, 'docs/fit-check.md'), 'utf8');
  expect(page).toContain(`${entries('companies')} companies and ${entries('jobs')} jobs`);
});

describe('blocks for a shell', () => {
  const shell = of('sh');
  const here = shell.filter(
    ({ page, code }) => !WALKED.includes(page) && Object.keys(SHELL).every((begin) => !code.startsWith(begin)),
  );
  const settings = here.filter(({ code }) => /\bnode server\.js\b/.test(code));
  const asking = here.filter(({ code }) => code.startsWith('curl '));
  const starting = here.filter(({ code }) => code.startsWith('prometheus '));

  test('are run here, or by a test that is there', () => {
    expect(here.filter((block) => ![...settings, ...asking, ...starting].includes(block)).map(placeOf)).toEqual([]);
    for (const [begin, path] of Object.entries(SHELL)) {
      expect(
        shell.some(({ code }) => code.startsWith(begin)),
        begin,
      ).toBe(true);
      expect(existsSync(join(ROOT, path)), path).toBe(true);
    }
  });

  test('set variables that there are', () => {
    const known = new Set([...variables, ...otelVariables, ...fitCheckVariables].map(({ name }) => name));
    for (const block of shell)
      for (const name of Object.keys(environmentOf(block.code))) expect(known, placeOf(block)).toContain(name);
  });

  test.each(settings.map((block) => [placeOf(block), block] as const))('%s is taken as it is', (_place, { code }) => {
    const env = environmentOf(code);
    expect(Object.keys(env)).not.toEqual([]);
    // Wrong ones of Binnacle's throw, and OpenTelemetry's are warned of.
    expect(createSettings({ service: 'answers', env }).warnings).toEqual([]);
  });

  test.skipIf(!curl)('that ask fit-check get what is printed below them', { timeout: 120_000 }, async () => {
    const service = await startService({ ENVIRONMENT: 'development' });
    try {
      const answers: string[] = [];
      for (const { code } of asking) {
        const { stdout } = await run('sh', [
          '-ec',
          code.replaceAll('http://localhost:8000', service.url).replaceAll('curl ', 'curl --fail '),
        ]);
        answers.push(stdout);
      }
      expect(asking).toHaveLength(2);
      const [stream = '', rest = ''] = answers;
      for (const event of ['phase', 'phase_complete', 'response', 'complete'])
        expect(stream).toContain(`event: ${event}`);
      expect(stream).toMatch(/event: complete\ndata: \{"session_id":"demo".*"provider":"embedded"\}/);
      for (const told of ['"circuit_breakers"', '"status":"healthy"', 'fit_check_requests_total{status="success"} 1'])
        expect(rest).toContain(told);
      for (const [at, block] of asking.entries()) {
        const printed = blocks[blocks.indexOf(block) + 1] as Block;
        expect([printed.page, printed.language], placeOf(block)).toEqual([block.page, '']);
        expect(linesMissing(printed.code, answers[at] ?? '')).toEqual([]);
      }
      const closed = (line: object): boolean => Object.values(line).includes('[demo] Request completed');
      const printed = of('json').map(({ code }) => JSON.parse(code) as object);
      const written = await until('the closing line is written', () => service.lines().find(closed));
      expect(shapeOf(printed.find(closed))).toEqual(shapeOf(written));
    } finally {
      await service.stop();
    }
  });

  test.skipIf(!prometheus)('that start Prometheus give it flags and features that it has', async () => {
    const { stdout } = await run('prometheus', ['--help']);
    for (const { code } of starting) {
      for (const [flag] of code.matchAll(/--[a-z.-]+/g)) expect(stdout).toContain(flag);
      expect(stdout).toContain('exemplar-storage');
    }
  });
});
