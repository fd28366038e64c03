import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Finding } from './findings.ts';
import { LIBRARIES } from './libraries.ts';
import { readManifest } from './manifest.ts';
import { checkLibraries } from './observed.ts';
import { searchSources } from './sources.ts';
import { installed, makeProject } from './testing-project.test-helper.ts';

function check(folder: string): Finding[] {
  const manifest = readManifest(join(folder, 'package.json'));
  return checkLibraries({
    folder,
    manifest: typeof manifest === 'string' ? undefined : manifest,
    sources: searchSources(folder),
  });
}

/** What is found of one library. */
const found = (folder: string, subject: string): Finding[] =>
  check(folder).filter((finding) => finding.subject.split(' ')[0] === subject);

const project = (dependencies: Record<string, string>, files: Record<string, string | object> = {}): string =>
  makeProject({ 'package.json': { dependencies }, ...installed(dependencies), ...files });

describe('libraries that tell on diagnostics channels', () => {
  test.each([
    ['ioredis', '5.11.0', '5.10.1', '5.11'],
    ['redis', '5.12.0', '5.11.0', '5.12'],
    ['@redis/client', '6.3.1', '5.11.0', '5.12'],
    ['mysql2', '3.20.0', '3.19.1', '3.20'],
    ['undici', '5.0.0', '4.16.0', '5'],
  ])('%s is observed from %s on, and a problem at %s', (name, enough, older, least) => {
    expect(found(project({ [name]: enough }), name)).toEqual([
      { mark: 'ok', subject: `${name} ${enough}`, what: 'observed, by its diagnostics channels' },
    ]);
    expect(found(project({ [name]: older }), name)).toEqual([
      {
        mark: 'problem',
        subject: `${name} ${older}`,
        what: `not observed: it publishes no diagnostics channels before ${least}`,
        mend: `npm install ${name}@latest (${least} or later)`,
      },
    ]);
  });

  test('an old one of the tests alone is a note', () => {
    const folder = makeProject({
      'package.json': { devDependencies: { ioredis: '4.0.0' } },
      ...installed({ ioredis: '4.0.0' }),
    });
    expect(found(folder, 'ioredis')).toMatchObject([{ mark: 'note' }]);
  });

  test('an old copy that another package brings along is a note that says where', () => {
    const folder = project(
      { ioredis: '6.0.0' },
      installed({ 'bullmq/node_modules/ioredis': '5.4.1', bullmq: '5.0.0' }),
    );
    expect(found(folder, 'ioredis')).toEqual([
      expect.objectContaining({ mark: 'ok', subject: 'ioredis 6.0.0' }),
      expect.objectContaining({
        mark: 'note',
        subject: 'ioredis 5.4.1',
        what: 'in node_modules/bullmq/node_modules/ioredis: not observed',
      }),
    ]);
  });

  test('an own copy behind a link is no other copy, nor is what redis stands on', () => {
    const linked = project(
      { redis: '5.11.0', '@redis/client': '5.11.0' },
      installed({ '.pnpm/i/node_modules/ioredis': '5.4.1' }),
    );
    expect(found(linked, '@redis/client')).toHaveLength(1);
    const folder = makeProject({
      'package.json': { dependencies: { ioredis: '5.4.1', redis: '5.11.0' } },
      ...installed({ '.pnpm/i/node_modules/ioredis': '5.4.1', redis: '5.11.0', '@redis/client': '5.11.0' }),
    });
    symlinkSync(join(folder, 'node_modules/.pnpm/i/node_modules/ioredis'), join(folder, 'node_modules/ioredis'));
    expect(
      check(folder)
        .filter(({ mark }) => mark !== 'ok')
        .map(({ mark, subject }) => `${mark} ${subject}`),
    ).toEqual(['problem ioredis 5.4.1', 'problem redis 5.11.0']);
  });

  test('is found where a workspace above has it', () => {
    const folder = makeProject({
      'apps/web/package.json': { dependencies: { ioredis: '^6.0.0' } },
      ...installed({ ioredis: '6.0.0' }),
    });
    expect(found(join(folder, 'apps/web'), 'ioredis')).toMatchObject([{ mark: 'ok' }]);
  });

  test('a version that is none is a note', () => {
    expect(found(project({ ioredis: 'latest' }), 'ioredis')).toMatchObject([{ mark: 'note' }]);
  });
});

test('what is declared and not installed is said; an optional one is not', () => {
  const folder = makeProject({ 'package.json': { dependencies: { pg: '^8' }, peerDependencies: { fastify: '^5' } } });
  expect(found(folder, 'pg')).toEqual([
    { mark: 'note', subject: 'pg', what: 'is declared and not installed', mend: 'npm install' },
  ]);
  expect(found(folder, 'fastify')).toEqual([]);
});

describe('clients that are handed over', () => {
  test('a note where nobody hands them over', () => {
    const folder = project({ pg: '8.0.0' }, { 'src/db.ts': '// obs.client(pool) is to come\nconst db = pool;' });
    expect(found(folder, 'pg')).toMatchObject([{ mark: 'note', mend: expect.stringContaining('obs.client(pool)') }]);
  });

  test('the place of the call is told', () => {
    const folder = project({ pg: '8.0.0' }, { 'src/db.ts': 'const pool = 1;\nexport const db = obs.client(pool);' });
    expect(found(folder, 'pg')).toEqual([
      {
        mark: 'ok',
        subject: 'pg 8.0.0',
        what: 'observed once handed to obs.client(): in src/db.ts:2',
      },
    ]);
  });

  test('the sources of others do not count', () => {
    const text = 'obs.client(pool)';
    const folder = project(
      { postgres: '3.0.0' },
      {
        'node_modules/x/a.js': text,
        'dist/a.js': text,
        '.cache/a.js': text,
        'src/large.js': `${text}${' '.repeat(2 ** 20)}`,
      },
    );
    expect(found(folder, 'postgres')).toMatchObject([{ mark: 'note' }]);
  });
});

describe('SDKs and frameworks of language models', () => {
  const SDKS: [name: string, version: string, older: string, line: string][] = [
    ['openai', '6.49.0', '5.23.2', 'const openai = obs.ai.client(new OpenAI());'],
    ['@anthropic-ai/sdk', '0.137.0', '0.136.0', 'const anthropic = ai.client(new Anthropic());'],
    ['@google/genai', '2.32.0', '1.30.0', 'clients.map(obs.ai.client)'],
    ['ai', '6.0.0', '5.0.101', 'const experimental_telemetry = obs.ai.telemetry();'],
    ['@langchain/core', '1.4.0', '0.3.79', 'await graph.invoke(x, { callbacks: [service.ai.langchain()] });'],
  ];

  test.each(SDKS)('%s: a note that names what it takes, where no source file has it', (name, version, _, line) => {
    const member = /ai\.\w+/.exec(line)?.[0];
    // Each of these is another's, a path, or a comment.
    const others = SDKS.map(([, , , other]) => other).filter((other) => !other.includes(`${member}`));
    const text = [...others, 'obs.client(pool)', `import './${member}.ts'`, `my_${member}(x)`, `// ${line}`].join('\n');
    expect(found(project({ [name]: version }, { 'src/llm.ts': text }), name)).toEqual([
      {
        mark: 'note',
        subject: `${name} ${version}`,
        what: expect.stringMatching(
          new RegExp(`^observed .*obs\\.${member}\\(\\), which no source file uses; until then as HTTP`),
        ),
        mend: expect.stringContaining(`obs.${member}(`),
      },
    ]);
  });

  test.each(SDKS)('%s: the place is told, and what is not observed', (name, version, _, line) => {
    const folder = project({ [name]: version }, { 'src/llm.ts': `\n${line}` });
    expect(found(folder, name)).toEqual([
      {
        mark: 'ok',
        subject: `${name} ${version}`,
        what: expect.stringMatching(/^observed (?:once|where) .*, as in src\/llm\.ts:2: .*as HTTP alone/),
      },
    ]);
  });

  test.each(SDKS)('%s: an older one is not known to be observed', (name, _, older, line) => {
    expect(found(project({ [name]: older }, { 'src/llm.ts': line }), name)).toMatchObject([
      { mark: 'note', what: expect.stringContaining('is tested with'), mend: expect.stringContaining('npm install') },
    ]);
  });

  test.each(['openai', 'ollama'])('%s: what is told of by hand is told of', (name) => {
    const folder = project({ [name]: '6.0.0' }, { 'a.ts': 'yield* obs.ai.stream(info, open);' });
    expect(found(folder, name)).toEqual([
      { mark: 'ok', subject: `${name} 6.0.0`, what: 'told of by obs.ai, which is used in a.ts:1' },
    ]);
  });

  test('a database is not handed over by what hands over an SDK', () => {
    const folder = project({ pg: '8.0.0' }, { 'a.ts': 'obs.ai.client(new OpenAI()); ai.client (sdk);' });
    expect(found(folder, 'pg')).toMatchObject([{ mark: 'note' }]);
  });
});

test('Fastify asks for its adapter, and for version 5', () => {
  const use = { 'src/app.mjs': `import { observeFastify } from 'binnacle/fastify';` };
  expect(found(project({ fastify: '5.1.0' }, use), 'fastify')).toMatchObject([{ mark: 'ok' }]);
  expect(found(project({ fastify: '5.1.0' }), 'fastify')).toMatchObject([{ mark: 'note' }]);
  expect(found(project({ fastify: '4.29.0' }, use), 'fastify')).toMatchObject([{ mark: 'problem' }]);
});

test.each([
  ['express', '4.22.0', '4.17.0', 'express'],
  ['hono', '4.13.0', '4.7.0', 'hono'],
  ['@nestjs/core', '12.5.0', '10.4.0', 'nest'],
])('%s asks for its adapter, from a version on', (name, version, old, entry) => {
  const use = { 'src/app.ts': `import {} from 'binnacle/${entry}';` };
  expect(found(project({ [name]: version }, use), name)).toMatchObject([
    { mark: 'ok', what: `observed by binnacle/${entry}, which is imported in src/app.ts:1` },
  ]);
  expect(found(project({ [name]: version }), name)).toMatchObject([
    { mark: 'note', mend: expect.stringContaining('obs') },
  ]);
  expect(found(project({ [name]: old }, use), name)).toMatchObject([{ mark: 'problem' }]);
});

test('what has an adapter or a client is what Binnacle may stand beside, from the same version on', () => {
  const { peerDependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const known = [...LIBRARIES].flatMap(([name, way]) =>
    way.kind === 'ai' || way.kind === 'adapter' ? [[name, way.least] as const] : [],
  );
  const least = Object.entries(peerDependencies as Record<string, string>)
    // Hono's server comes with Hono; Nest's two packages go together.
    .filter(([name]) => name !== '@hono/node-server')
    .map(([name, range]) => [name.replace('@nestjs/common', '@nestjs/core'), /\d+\.\d+\.\d+/.exec(range)?.[0]]);
  expect(Object.fromEntries(known)).toEqual(Object.fromEntries(least));
});

test('what Nest stands on needs no adapter of its own', () => {
  const folder = project({ express: '5.0.0' }, { 'src/app.ts': `import { observeNest } from 'binnacle/nest';` });
  expect(found(folder, 'express')).toMatchObject([{ mark: 'ok', what: expect.stringContaining('binnacle/nest') }]);
});

test('frameworks, AI SDKs, prom-client and OpenTelemetry are told what to do', () => {
  const folder = project({
    koa: '3.0.0',
    openai: '6.0.0',
    'prom-client': '15.0.0',
    '@opentelemetry/sdk-node': '0.223.0',
    mongodb: '6.0.0',
    axios: '1.0.0',
  });
  const findings = check(folder);
  expect(findings.map(({ mark, subject }) => `${mark} ${subject}`)).toEqual([
    'ok fetch',
    'note koa 3.0.0',
    'ok axios 1.0.0',
    'note mongodb 6.0.0',
    'note openai 6.0.0',
    'note prom-client 15.0.0',
    'note @opentelemetry/sdk-node 0.223.0',
  ]);
  for (const { mark, mend } of findings) if (mark === 'note') expect(mend).toEqual(expect.any(String));
});

describe('copies of the API of OpenTelemetry', () => {
  const api = '@opentelemetry/api';

  test('of different minor versions lose contexts', () => {
    const folder = project({ a: '1.0.0' }, installed({ [api]: '1.8.0', [`a/node_modules/${api}`]: '1.9.1' }));
    expect(found(folder, api)).toEqual([
      {
        mark: 'problem',
        subject: api,
        what: `2 copies, between which contexts are lost: 1.8.0 in node_modules/${api}, 1.9.1 in node_modules/a/node_modules/${api}`,
        mend: expect.stringContaining('npm dedupe'),
      },
    ]);
  });

  test('of one minor version share them', () => {
    const folder = project({ a: '1.0.0' }, installed({ [api]: '1.9.0', [`a/node_modules/${api}`]: '1.9.1' }));
    expect(found(folder, api)).toMatchObject([{ mark: 'note' }]);
  });

  test('one that is linked twice is one', () => {
    const folder = project(
      {},
      installed({ [`.pnpm/api@1.9.0/node_modules/${api}`]: '1.9.0', '@opentelemetry/b': '1.0.0' }),
    );
    symlinkSync(join(folder, `node_modules/.pnpm/api@1.9.0/node_modules/${api}`), join(folder, `node_modules/${api}`));
    symlinkSync(join(folder, 'node_modules'), join(folder, 'node_modules/round'));
    expect(found(folder, api)).toEqual([{ mark: 'ok', subject: `${api} 1.9.0`, what: 'one copy' }]);
  });
});

test('a folder without anything has fetch', () => {
  expect(check(makeProject({}))).toEqual([{ mark: 'ok', subject: 'fetch', what: 'of Node.js itself: observed' }]);
});
