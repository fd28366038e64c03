import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT, readYaml, toolFor } from './files.ts';

interface Service {
  readonly image?: string;
  readonly environment?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly [field: string]: unknown;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = readYaml<Compose>('compose.yaml');
const { services } = compose;
const backend = services.backend!;
const OBSERVABILITY = ['collector', 'prometheus', 'jaeger', 'grafana'];
/** Compose's way to write a variable. */
const variable = (name: string, fallback: string): string => `${name}=\${${name}${fallback}}`;

describe('backend', () => {
  test("has the guide's five variables as they stand there", () => {
    expect(backend.environment?.slice(0, 5)).toEqual([
      'HOST=0.0.0.0',
      'PORT=8000',
      variable('LOG_LEVEL', ':-INFO'),
      variable('LOG_FORMAT', ':-text'),
      variable('ALLOWED_ORIGINS', ':-http://localhost:3003'),
    ]);
  });

  test('has its servers by variables; Redis and the collector can be emptied', () => {
    expect(backend.environment).toEqual(
      expect.arrayContaining([
        variable('DATABASE_URL', ':-postgres://fit_check:fit-check@postgres:5432/fit_check'),
        variable('REDIS_URL', '-redis://redis:6379'),
        variable('OTEL_EXPORTER_OTLP_ENDPOINT', '-http://collector:4318'),
      ]),
    );
  });

  test('rotates its log', () => {
    expect(backend.logging).toEqual({ driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } });
  });

  test('has a read-only root, no capabilities, and one volume to write to', () => {
    expect(backend).toMatchObject({
      read_only: true,
      tmpfs: ['/tmp'],
      volumes: ['data:/data'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      init: true,
      stop_grace_period: '30s',
    });
    for (const given of ['privileged', 'cap_add', 'user', 'network_mode', 'pid'])
      expect(backend).not.toHaveProperty(given);
  });

  test('waits for what it works on, and for nothing that watches it', () => {
    const waitsFor = (name: string): string[] =>
      Object.keys(services[name]?.depends_on ?? {}).flatMap((other) => [other, ...waitsFor(other)]);
    expect(waitsFor('backend')).toEqual(['postgres', 'redis']);
    expect(Object.values(backend.depends_on ?? {})).toEqual([
      { condition: 'service_healthy' },
      { condition: 'service_healthy' },
    ]);
    for (const tie of ['links', 'volumes_from', 'network_mode', 'ipc', 'pid']) expect(backend).not.toHaveProperty(tie);
  });
});

describe('the other services', () => {
  test('observability starts only when its profile is asked for', () => {
    const profiles = Object.entries(services).map(([name, { profiles }]) => [name, profiles]);
    expect(Object.fromEntries(profiles)).toEqual({
      backend: undefined,
      postgres: undefined,
      redis: undefined,
      ...Object.fromEntries(OBSERVABILITY.map((name) => [name, ['observability']])),
    });
  });

  test.each(['backend', 'postgres', 'redis'])('%s has a healthcheck with limits', (name) => {
    expect(services[name]?.healthcheck).toMatchObject({
      test: expect.arrayContaining([expect.stringMatching(/^CMD(-SHELL)?$/)]),
      interval: expect.stringMatching(/s$/),
      timeout: expect.stringMatching(/s$/),
      retries: expect.any(Number),
    });
  });

  test.each(['postgres', 'redis'])('%s keeps its data in a volume', (name) => {
    expect(services[name]?.volumes).toEqual([expect.stringMatching(new RegExp(`^${name}:/`))]);
  });

  test('each port is published on the loopback address alone', () => {
    const ports = Object.values(services).flatMap(({ ports }) => ports ?? []);
    expect(ports).toHaveLength(7);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d+\}:\d+$/);
  });

  test('only the collector takes OTLP', () => {
    const otlp = Object.entries(services).filter(([, { ports }]) => ports?.some((port) => /:431[78]$/.test(port)));
    expect(otlp.map(([name]) => name)).toEqual(['collector']);
    const senders = Object.values(services).flatMap(({ environment }) => environment ?? []);
    expect(senders.filter((line) => /:431[78]/.test(line))).toEqual([expect.stringContaining('http://collector:4318')]);
  });

  test('images have versions, and mounts of the repository exist and are read-only', () => {
    for (const [name, { image, volumes = [] }] of Object.entries(services)) {
      if (name !== 'backend') expect(image, name).toMatch(/^[\w./-]+:v?\d[\w.]*$/);
      for (const volume of volumes) {
        const [source = '', , mode] = volume.split(':');
        if (!source.startsWith('./')) expect(Object.keys(compose.volumes), volume).toContain(source);
        else expect([existsSync(`${ROOT}/${source}`), mode], volume).toEqual([true, 'ro']);
      }
    }
  });

  test('all logs rotate', () => {
    for (const [name, { logging }] of Object.entries(services)) expect(logging, name).toEqual(backend.logging);
  });
});

test('no key that docker-compose 1.29 or Compose v2 would refuse or warn of', () => {
  expect(Object.keys(compose)).toEqual(['services', 'volumes']);
});

const v1 = toolFor('docker-compose', ['version']);
const folder = mkdtempSync(join(tmpdir(), 'binnacle-compose-'));
const emptyFile = join(folder, 'empty.env');
writeFileSync(emptyFile, '');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
// Debian has no package of v2: it is tried where it is, and never asked for.
const hasV2 = spawnSync('docker', ['compose', 'version']).status === 0;
const composes = [
  { name: `docker-compose${v1.why}`, skip: v1.skip, command: ['docker-compose'] as const },
  ...(hasV2 ? [{ name: 'docker compose', skip: false, command: ['docker', 'compose'] as const }] : []),
];

/** Runs compose's `config` with no variable set, and past a developer's .env. */
function config(
  [command, ...args]: readonly [string, ...string[]],
  ...options: readonly string[]
): { status: number | null; stderr: string; stdout: string } {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8' };
  const words = [...args, '--env-file', emptyFile, '--profile', 'observability', 'config', ...options];
  return spawnSync(command, words, { cwd: ROOT, env, encoding: 'utf8' });
}

describe.each(composes)('$name', ({ skip, command }) => {
  test.skipIf(skip)('takes the file without a warning', () => {
    expect(config(command, '-q')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  test.skipIf(skip)('fills in every variable', () => {
    const { stdout } = config(command);
    // 1.29 takes a default within a default for text, says nothing, and `config -q` is content.
    expect(stdout).not.toContain('${');
    const { services: filled } = parse(stdout) as { services: Record<string, { environment: Record<string, string> }> };
    expect(filled.backend?.environment).toMatchObject({
      HOST: '0.0.0.0',
      PORT: '8000',
      LOG_LEVEL: 'INFO',
      LOG_FORMAT: 'text',
      ALLOWED_ORIGINS: 'http://localhost:3003',
      REDIS_URL: 'redis://redis:6379',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    });
    const url = new URL(filled.backend?.environment.DATABASE_URL ?? '');
    const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = filled.postgres?.environment ?? {};
    expect([url.username, url.password, url.pathname.slice(1), url.hostname]).toEqual([
      POSTGRES_USER,
      POSTGRES_PASSWORD,
      POSTGRES_DB,
      'postgres',
    ]);
  });
});
