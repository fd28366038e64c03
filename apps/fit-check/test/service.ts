/** The built service as a child process on a free loopback port, with its lines read as they come. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { value } from './metrics.ts';
import { freePort } from './ports.ts';
import { until } from './until.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const KEPT = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ'];

export interface LogLine {
  readonly timestamp: string;
  readonly level: string;
  readonly logger: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface Service {
  readonly url: string;
  readonly pid: number;
  readonly folder: string;
  /** Every line of standard output and standard error so far. */
  readonly output: readonly string[];
  /** The same, parsed; throws for a line that is no JSON. */
  lines(): LogLine[];
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit status, or the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Ends it, and removes its folder. */
  stop(): Promise<void>;
}

/** Starts it with JSON logs in a folder of its own, and waits until it listens (`probes` is where it says so). */
export async function startService(
  env: Readonly<Record<string, string>> = {},
  folder?: string,
  probes?: string,
): Promise<Service> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryService(env, folder, probes);
    } catch (error) {
      if (tries === 3 || !String(error).includes('EADDRINUSE')) throw error;
    }
  }
}

async function tryService(
  env: Readonly<Record<string, string>>,
  folder: string | undefined,
  probes: string | undefined,
): Promise<Service> {
  const home = folder ?? mkdtempSync(join(tmpdir(), 'fit-check-'));
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN], {
    cwd: home,
    env: { ...kept(), LOG_FORMAT: 'json', PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => output.push(line));
  const exited = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? 1)),
  );
  const url = `http://127.0.0.1:${port}`;
  // Another test's process may have taken the port by now, and would answer in its place.
  const isOurs = (): boolean => 'LOG_LEVEL' in env || output.some((line) => line.includes(`pid ${child.pid}`));
  await until(
    'the service listens',
    async () => {
      if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}:\n${output.join('\n')}`);
      if (!isOurs()) return false;
      return fetch(`${probes ?? url}/health/live`).then(
        (response) => response.ok,
        () => false,
      );
    },
    60_000,
  );
  return {
    url,
    pid: child.pid ?? 0,
    folder: home,
    output,
    lines: () => output.map((line) => JSON.parse(line) as LogLine),
    kill: (signal) => void child.kill(signal),
    exited,
    stop: () => stop(child, exited, folder === undefined ? home : undefined),
  };
}

/** Lets a test collect the service's garbage: `SIGUSR2` does it at once. */
export const COLLECTABLE: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--expose-gc --import=data:text/javascript,process.on('SIGUSR2',()=>gc())`,
};

/** The heap that is really in use, in bytes. */
export async function liveHeap(service: Service): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    service.kill('SIGUSR2');
    await fetch(`${service.url}/health/live`);
  }
  return (await value(service.url, 'nodejs_heap_size_used_bytes')) ?? 0;
}

/** Runs it until it ends by itself: for settings that stop the start. */
export async function runService(
  env: Readonly<Record<string, string>>,
): Promise<{ status: number | NodeJS.Signals; output: string }> {
  const home = mkdtempSync(join(tmpdir(), 'fit-check-'));
  const child = spawn(process.execPath, [MAIN], {
    cwd: home,
    env: { ...kept(), PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const status = await new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? 1)),
  );
  rmSync(home, { recursive: true, force: true });
  return { status, output };
}

async function stop(child: ChildProcess, exited: Promise<unknown>, home: string | undefined): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await exited;
  if (home !== undefined) rmSync(home, { recursive: true, force: true });
}

/** What a process needs to run at all; no variable of the service's own leaks in. */
function kept(): Record<string, string> {
  return Object.fromEntries(
    KEPT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] as string]])),
  );
}
