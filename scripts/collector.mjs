// `npm run collector`: one request's trace through a real OpenTelemetry Collector, with deploy/'s own configuration. The
// collector is built from its Go modules into .cache/ once, by the release's own builder; Go is the one thing needed.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { ROOT } from './root.mjs';
import { run, runNode } from './run.mjs';
import { isMain, runScript, StepFailed, say } from './step.mjs';

const MANIFEST = join(ROOT, 'test/collector/builder.yaml');
const FOLDER = join(ROOT, '.cache/collector');
const PROGRAM = join(FOLDER, 'build/collector');
/** What the program was built from: with another manifest it is built anew. */
const STAMP = join(FOLDER, 'builder.yaml');
/** With nothing in Go's caches, by one processor. */
const LONGEST_BUILD_MS = 30 * 60_000;

/**
 * Builds the collector, where that is not done yet.
 * @returns {Promise<string>} the program
 */
export async function ensureCollector() {
  const manifest = readFileSync(MANIFEST, 'utf8');
  if (existsSync(PROGRAM) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === manifest) return PROGRAM;
  const go = await run('go', ['version']);
  const version = /^ {2}version: (\S+)$/m.exec(manifest)?.[1];
  say(`Building OpenTelemetry Collector ${version} in .cache/collector by ${go.output.trim()}: some minutes…`);
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const started = performance.now();
  // One processor, and the last in the queue for it: whoever works or measures beside it is to notice little.
  const builder = `go.opentelemetry.io/collector/cmd/builder@v${version}`;
  const command = ['go', 'run', builder, '--config', MANIFEST, '--ldflags', '-s -w'];
  const [program = '', ...args] = process.platform === 'win32' ? command : ['nice', '-n', '19', ...command];
  const env = { ...process.env, GOMAXPROCS: '1', CGO_ENABLED: '0' };
  const { status } = await run(program, args, { cwd: FOLDER, env, show: 'stderr', timeoutMs: LONGEST_BUILD_MS });
  if (status !== 0) throw new StepFailed(`The collector could not be built: its builder ended with ${status}.`);
  copyFileSync(MANIFEST, STAMP);
  say(`Built in ${Math.round((performance.now() - started) / 1000)} s.`);
  return PROGRAM;
}

async function main() {
  await ensureInstalled();
  await ensureBuilt();
  const env = { ...process.env, BINNACLE_COLLECTOR: await ensureCollector() };
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const test = 'apps/fit-check/test/chaos/collector.chaos.ts';
  const args = [vitest, 'run', '--config', 'vitest.chaos.config.ts', test];
  const { status } = await runNode(args, { cwd: ROOT, env, show: 'all' });
  if (status !== 0) throw new StepFailed('The trace did not come through the collector.', status);
}

if (isMain(import.meta.url)) await runScript(main);
