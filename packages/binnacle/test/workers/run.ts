/** Runs the service of `program.ts`, bundled, and tells it what to do. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));

export interface Bundle {
  readonly file: string;
  remove(): void;
}

export async function bundleProgram(): Promise<Bundle> {
  const cache = join(REPOSITORY, '.cache');
  mkdirSync(cache, { recursive: true });
  // Within the repository, whose `node_modules` the dependencies are found in.
  const folder = mkdtempSync(join(cache, 'workers-'));
  const file = join(folder, 'program.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('program.ts', import.meta.url))],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface ProgramSettings {
  readonly primary: 'observe' | 'gather' | 'nothing';
  readonly kind?: 'cluster' | 'threads';
  readonly series?: number;
  readonly maxSeries?: number;
  readonly apart?: boolean;
  /** Whether the cluster's messages are structured clones, not JSON. */
  readonly advanced?: boolean;
}

/** Where a worker answers: on the port of all, and on its own. */
export interface Ports {
  readonly shared: number;
  readonly own: number;
  readonly pid: number;
}

export interface Program {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  /** Lines of the log, of all processes. */
  readonly lines: string[];
  tell<T>(to: 'primary' | number, what: string, value?: unknown): Promise<T>;
  kill(): Promise<void>;
}

export function startProgram(bundle: Bundle, settings: ProgramSettings): Program {
  const { kind = 'cluster', series = 0, ...rest } = settings;
  const child = fork(bundle.file, [kind], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    env: { PATH: process.env.PATH, WORKERS_TEST: JSON.stringify({ series, ...rest }) },
  });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => lines.push(...text.trim().split('\n')));
  }
  const waiting = new Map<number, (message: { result?: unknown; error?: string }) => void>();
  child.on('message', (message: { id: number; result?: unknown; error?: string }) =>
    waiting.get(message.id)?.(message),
  );
  let ids = 0;
  return {
    child,
    exited,
    lines,
    tell: (to, what, value) =>
      new Promise((resolve, reject) => {
        const id = ++ids;
        waiting.set(id, ({ result, error }) => {
          waiting.delete(id);
          if (error === undefined) resolve(result as never);
          else reject(new Error(`${what}: ${error}`));
        });
        child.send({ id, to, what, value });
      }),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** A scrape of a port, and how long it took in milliseconds. */
export async function scrapePort(port: number, accept?: string): Promise<{ text: string; ms: number }> {
  const start = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, {
    headers: { ...(accept !== undefined && { accept }), connection: 'close' },
  });
  const text = await response.text();
  return { text, ms: performance.now() - start };
}

/** The value of one series, by its name and labels as the scrape writes them. */
export function seriesIn(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

/** The sum of all series of a name. */
export function sumOf(text: string, name: string): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
