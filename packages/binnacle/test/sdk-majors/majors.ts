/**
 * SDKs in another major than the one that is a dependency: the newest, where it needs Node.js 22, and older ones that are
 * accepted still. The same tests hold for both.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));
const CACHE = join(REPOSITORY, '.cache/sdk-majors');
const CONFIG = fileURLToPath(new URL('newest.vitest.config.ts', import.meta.url));
const TIMEOUT_MS = 120_000;

export interface Major {
  /** Packages by name and major, the SDK itself first. */
  readonly packages: Readonly<Record<string, string>>;
  /** Which Node.js it is tested on. */
  readonly node: 20 | 22;
  /** Its tests, from the repository's root: files, or what their paths begin with. */
  readonly tests: readonly string[];
}

export const MAJORS: readonly Major[] = [
  { packages: { ai: '7', '@ai-sdk/openai': '4' }, node: 22, tests: ['packages/binnacle/src/ai/clients/ai-sdk'] },
  { packages: { '@google/genai': '3' }, node: 22, tests: ['packages/binnacle/src/ai/clients/google.test.ts'] },
  {
    packages: { openai: '7' },
    node: 22,
    tests: ['clients/stainless', 'clients/openai', 'joined'].map((name) => `packages/binnacle/src/ai/${name}.test.ts`),
  },
  {
    packages: { '@anthropic-ai/sdk': '0' },
    node: 20,
    tests: ['anthropic', 'stainless'].map((name) => `packages/binnacle/src/ai/clients/${name}.test.ts`),
  },
];

export function titleOf({ packages }: Major): string {
  return Object.entries(packages)
    .map((entry) => entry.join(' '))
    .join(' with ');
}

/** The folder that an SDK is installed in, or why there is none; that is an error where nothing may be skipped. */
export async function installMajor(major: Major): Promise<{ readonly folder: string } | { readonly missing: string }> {
  const folder = join(
    CACHE,
    titleOf(major)
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-/, ''),
  );
  try {
    if (!existsSync(folder)) await install(major, folder);
    return { folder };
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    const missing = `${titleOf(major)} could not be installed: ${/^npm (?:error|ERR!) (.+)$/m.exec(said)?.[1] ?? said}`;
    if (process.env.REQUIRE_SERVERS === '1') throw new Error(missing, { cause: error });
    return { missing };
  }
}

/** Put in place once it is whole, so that a broken installation is tried again. */
async function install({ packages }: Major, folder: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const made = mkdtempSync(join(CACHE, 'installing-'));
  try {
    writeFileSync(join(made, 'package.json'), JSON.stringify({ private: true, dependencies: packages }));
    const flags = ['--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...flags], { cwd: made, timeout: TIMEOUT_MS, shell: process.platform === 'win32' });
    renameSync(made, folder);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

/** What the SDK's own `package.json` says that is installed in a folder. */
export function manifestOf({ packages }: Major, folder: string): { version: string; engines?: { node?: string } } {
  const [name = ''] = Object.keys(packages);
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'));
}

export interface TestRun {
  readonly passed: number;
  /** Names of tests that failed, with what they said. */
  readonly failed: readonly string[];
}

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Runs the tests of an SDK by another Node.js, with another major in the place of the one that is a dependency. */
export async function runTests(node: string, major: Major, folder: string): Promise<TestRun> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  const env = { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }) };
  const vitest = join(REPOSITORY, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--config', CONFIG, '--reporter=json', ...major.tests];
  const ours = { SDK_FOLDER: folder, SDK_PACKAGES: Object.keys(major.packages).join(' ') };
  const options = { cwd: REPOSITORY, env: { ...env, ...ours }, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 };
  // Failed tests end it with 1, and are in the report.
  const stdout = await run(node, args, options).then(
    (done) => done.stdout,
    (error: { readonly stdout?: string }) => {
      if (!error.stdout?.startsWith('{')) throw error;
      return error.stdout;
    },
  );
  const { numPassedTests, testResults } = JSON.parse(stdout) as Report;
  const failed = testResults.flatMap(({ status, message, assertionResults }) => {
    const tests = assertionResults.filter((each) => each.status === 'failed');
    if (status === 'failed' && tests.length === 0) return [message];
    return tests.map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages.join('\n')}`);
  });
  return { passed: numPassedTests, failed };
}
