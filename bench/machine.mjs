import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import process from 'node:process';

/** The processor of the server under test, and the one of the load and the sink. */
export const SERVER_CPU = 0;
const BENCH_CPU = 1;

/**
 * Moves this process, all its threads, off the server's processor.
 * @returns {boolean} whether processors can be told apart here
 */
export function pinBench() {
  if (process.platform !== 'linux' || availableParallelism() < 2) return false;
  const pinned = spawnSync('taskset', ['-a', '-p', '-c', String(BENCH_CPU), String(process.pid)], { stdio: 'ignore' });
  return pinned.status === 0;
}

/** @param {boolean} pinned */
export function describeMachine(pinned) {
  const model = cpus()[0]?.model.trim() ?? '';
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  const where = pinned
    ? `server on processor ${SERVER_CPU}, load and sink on processor ${BENCH_CPU}`
    : '**not pinned**: server, load and sink share the processors, so that figures are less certain';
  const name = [`${cpus().length} processors`, ...(/^(|unknown)$/i.test(model) ? [] : [model]), `${gib} GiB`].join(
    ', ',
  );
  return `${name}, ${process.platform} ${process.arch}, Node.js ${process.versions.node}; ${where}; load average at the start ${loadavg()[0]?.toFixed(2)}`;
}

/** Versions of what is compared, as installed. */
export function describePackages() {
  const names = [
    'fastify',
    'pino',
    'prom-client',
    'fastify-metrics',
    '@opentelemetry/sdk-trace-base',
    '@opentelemetry/sdk-node',
    '@opentelemetry/auto-instrumentations-node',
    '@opentelemetry/exporter-trace-otlp-proto',
  ];
  const versions = names.map((name) => `${name} ${versionIn(`node_modules/${name}`)}`);
  return `${versions.join(', ')}; Binnacle ${versionIn('../packages/binnacle')} on fastify ${versionIn('../node_modules/fastify')}, pino ${versionIn('../node_modules/pino')}, @opentelemetry/sdk-trace ${versionIn('../node_modules/@opentelemetry/sdk-trace')}`;
}

/** @param {string} folder */
function versionIn(folder) {
  const path = new URL(`${folder}/package.json`, import.meta.url);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : '(not installed)';
}
