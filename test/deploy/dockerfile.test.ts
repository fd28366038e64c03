import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadScript } from '../scripts/module.ts';
import { ROOT, read, readYaml } from './files.ts';

interface Step {
  readonly keyword: string;
  readonly text: string;
}

const { readDockerfile } = await loadScript<{
  readDockerfile(
    text: string,
  ): readonly { readonly name: string; readonly image: string; readonly steps: readonly Step[] }[];
}>('image/dockerfile.mjs');
const { readIgnore } = await loadScript<{ readIgnore(text: string): (path: string) => boolean }>('image/context.mjs');

const text = read('Dockerfile');
const stages = readDockerfile(text);
const runtime = stages.at(-1)!;
/** What the last stage says by a keyword, in order. */
const said = (keyword: string): string[] =>
  runtime.steps.filter((step) => step.keyword === keyword).map((step) => step.text);

describe('the Dockerfile', () => {
  test('builds in one stage, installs for production in another, and ships a third', () => {
    expect(stages.map(({ name }) => name)).toEqual(['build', 'dependencies', 'runtime']);
    const runs = stages.map(({ steps }) => steps.filter(({ keyword }) => keyword === 'RUN').map((step) => step.text));
    expect(runs).toEqual([
      ['npm ci', 'npm run build'],
      [
        'npm ci --omit=dev --workspace fit-check --workspace binnacle',
        'node /scripts/image/prune.mjs apps/fit-check packages/binnacle',
      ],
      ['install -d -o 1000 -g 1000 /data'],
    ]);
    for (const { image } of stages) expect(image).toMatch(/^node:\d+-slim$/);
  });

  test('copies the manifest of each workspace before npm ci', () => {
    const workspaces = ['packages', 'apps'].flatMap((folder) =>
      readdirSync(`${ROOT}/${folder}`).map((name) => `${folder}/${name}`),
    );
    for (const { name, steps } of stages.slice(0, 2)) {
      const before = steps
        .slice(
          0,
          steps.findIndex(({ keyword }) => keyword === 'RUN'),
        )
        .map((step) => step.text);
      for (const folder of workspaces) expect(before, name).toContain(`${folder}/package.json ${folder}/`);
    }
  });

  test('ships what the build made, the assets and the licence, all owned by root', () => {
    expect(said('COPY')).toEqual([
      '--from=dependencies /app ./',
      '--from=build /app/packages/binnacle/dist packages/binnacle/dist',
      '--from=build /app/apps/fit-check/dist apps/fit-check/dist',
      'apps/fit-check/assets apps/fit-check/assets',
      'deploy/healthcheck.mjs deploy/',
      'LICENSE ./',
    ]);
  });

  test('runs as a number that is not root', () => {
    expect(said('USER')).toEqual([expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/)]);
  });

  test('runs node itself in the exec form, and stops by SIGTERM', () => {
    expect(said('CMD').map((command) => JSON.parse(command))).toEqual([['node', 'apps/fit-check/dist/main.js']]);
    expect(said('STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(text).not.toMatch(/^ENTRYPOINT|npm start/m);
  });

  test("has compose's healthcheck, by node", () => {
    const { services } = readYaml<{ services: { backend: { healthcheck: Record<string, unknown> } } }>('compose.yaml');
    const { test: words, interval, timeout, start_period, retries } = services.backend.healthcheck;
    const [, ...command] = words as string[];
    expect(command).toEqual(['node', 'deploy/healthcheck.mjs']);
    const times = `--interval=${interval} --timeout=${timeout} --start-period=${start_period} --retries=${retries}`;
    expect(said('HEALTHCHECK')).toEqual([`${times} CMD ${JSON.stringify(command).replaceAll(',', ', ')}`]);
  });

  test('sets where it listens and what it writes to, and no more', () => {
    expect(said('ENV')).toEqual([
      'NODE_ENV=production HOST=0.0.0.0 PORT=8000 DATABASE_URL=file:/data/fit-check.db',
      `REVISION=\${REVISION}`,
    ]);
    expect(said('VOLUME')).toEqual(['["/data"]']);
    expect(said('EXPOSE')).toEqual(['8000']);
  });

  test('names version and revision by build arguments', () => {
    expect(said('ARG')).toEqual(['VERSION=dev', 'REVISION=']);
    const [labels] = said('LABEL');
    for (const name of ['title', 'description', 'licenses', 'version', 'revision']) {
      expect(labels).toContain(`org.opencontainers.image.${name}="`);
    }
  });

  test('holds no secret', () => {
    const names = stages.flatMap(({ steps }) => steps.filter(({ keyword }) => /^(ARG|ENV)$/.test(keyword)));
    for (const { text } of names) expect(text).not.toMatch(/KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|_HEADERS/i);
    expect(text).not.toMatch(/:\/\/[^\s/]+@|ADD |--mount=type=secret/);
  });
});

describe('.dockerignore', () => {
  const ignores = readIgnore(read('.dockerignore'));

  test.each([
    '.git/config',
    '.env',
    'apps/fit-check/.env.local',
    'node_modules/a/index.js',
    'packages/binnacle/node_modules/a/index.js',
    'apps/fit-check/dist/main.js',
    'apps/fit-check/dist.tmp-1/main.js',
    'apps/fit-check/data/fit-check.db-wal',
    'data/fit-check.db',
    'coverage/index.html',
    '.cache/build.lock',
    'README.md',
    'compose.yaml',
    'deploy/prometheus/prometheus.yml',
    'test/deploy/files.ts',
    'apps/fit-check/test/service.ts',
    'apps/fit-check/src/record.test.ts',
  ])('keeps out %s', (path) => {
    expect(ignores(path)).toBe(true);
  });

  test('lets through what the Dockerfile copies', () => {
    const copied = stages.flatMap(({ steps }) =>
      steps
        .filter(({ keyword, text }) => keyword === 'COPY' && !text.startsWith('--from'))
        .flatMap((step) => step.text.split(' ').slice(0, -1)),
    );
    expect(copied.length).toBeGreaterThan(10);
    for (const path of copied) expect(ignores(path), path).toBe(false);
  });
});
