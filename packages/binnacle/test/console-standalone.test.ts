/** Each block of docs/console-standalone.md, in its order, with a console on a port that is free. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../apps/fit-check/test/ports.ts';
import { type Block, blocksOf } from '../../../test/docs/sources.ts';
import { isAsPrinted } from '../../../test/docs/walk.ts';
import { parseCommand, TOKEN_RULE } from '../src/cli/command.ts';
import { BODY_BOUNDS } from '../src/console/otlp-body.ts';
import { CUT } from '../src/console/otlp-values.ts';
import { RECORD_BYTES, TEXT_BYTES } from '../src/console/record-room.ts';
import { STORE_BOUNDS } from '../src/console/store.ts';
import { type Compiled, compileModules } from './compiled.ts';
import { openPage } from './otlp/page-events.ts';
import { preparePython } from './sdks/python.ts';
import { until } from './until.ts';

const run = promisify(execFile);
const PAGE = fileURLToPath(new URL('../../../docs/console-standalone.md', import.meta.url));
const python = await preparePython();
const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);

let compiled: Compiled;
beforeAll(async () => {
  compiled = await compileModules('cli/main.ts');
});
afterAll(() => compiled?.remove());

class Reader {
  readonly #port: string;
  #env: Record<string, string> = {};
  #printed = '';
  #console: ChildProcess | undefined;
  /** Blocks that could not be run here, by their language. */
  readonly skipped: string[] = [];

  constructor(port: number) {
    this.#port = String(port);
  }

  /** Does what a block says. */
  async follow({ language, code, line }: Block): Promise<void> {
    const text = code.replaceAll('4318', this.#port);
    if (language === 'text')
      expect(isAsPrinted(text, this.#printed), `line ${line}, printed:\n${this.#printed}`).toBe(true);
    else if (language === 'python') await this.#python(text);
    else if (text.startsWith('npx binnacle console')) await this.#start(text);
    else if (text.startsWith('export ')) this.#export(text);
    else if (text.startsWith('curl ')) await this.#curl(text);
    else throw new Error(`line ${line}: nobody runs this`);
  }

  end(): void {
    this.#console?.kill('SIGKILL');
  }

  async #start(text: string): Promise<void> {
    const args = [...text.trim().split(/\s+/).slice(2), '--port', this.#port];
    const env = { PATH: process.env.PATH ?? '' };
    const child = spawn(process.execPath, [join(compiled.folder, 'cli/main.js'), ...args], { env });
    this.#console = child;
    child.stdout.on('data', (bytes) => {
      this.#printed += bytes;
    });
    await until(() => this.#printed.includes('Ctrl+C') || child.exitCode !== null);
  }

  #export(text: string): void {
    for (const [, name = '', value = ''] of text.matchAll(/^export (\w+)=(\S+)$/gm)) this.#env[name] = value;
  }

  async #python(text: string): Promise<void> {
    if ('missing' in python) this.skipped.push('python');
    else await run(python.program, ['-c', text], { env: { PATH: process.env.PATH, ...this.#env } });
  }

  async #curl(text: string): Promise<void> {
    if (hasCurl) this.#printed = (await run('sh', ['-c', text])).stdout;
    else this.skipped.push('curl');
  }
}

test('does what it says', { timeout: 90_000 }, async () => {
  const port = await freePort();
  const reader = new Reader(port);
  try {
    const blocks = blocksOf('docs/console-standalone.md', readFileSync(PAGE, 'utf8'));
    expect(blocks.length).toBeGreaterThan(5);
    // What a command prints is not there where it could not be run.
    for (const block of blocks)
      if (block.language !== 'text' || !reader.skipped.includes('curl')) await reader.follow(block);
    const page = await openPage(`http://127.0.0.1:${port}`);
    const expected = [
      ...(reader.skipped.includes('python') ? [] : [['stock', 'look up tea', 'internal']]),
      ...(reader.skipped.includes('curl') ? [] : [['by-hand', 'a span by hand', 'server']]),
    ];
    await page.until(({ spans }) => spans.length === expected.length);
    expect(page.spans.map(({ service, name, kind }) => [service, name, kind])).toEqual(expected);
    page.close();
  } finally {
    reader.end();
  }
});

describe('what it tells is what there is', () => {
  const text = readFileSync(PAGE, 'utf8');
  const MiB = 1024 * 1024;
  const { spans, logs, metrics } = STORE_BOUNDS;

  test.each([
    ['at most 20 MiB a request', [BODY_BOUNDS.body], [20 * MiB]],
    ['10,000 spans, 50,000 log lines, 2,000 series', [spans.count, logs.count, metrics.series], [10_000, 50_000, 2000]],
    ['| `--port` | 4318 |', [parseCommand(['console'], '/')], [expect.objectContaining({ port: 4318 })]],
    ['| `--host` | 127.0.0.1 |', [parseCommand(['console'], '/')], [expect.objectContaining({ host: '127.0.0.1' })]],
    ['8 to 256 visible ASCII characters', [TOKEN_RULE], ['of 8 to 256 visible ASCII characters']],
    ['A text of more than 32 KiB is cut', [TEXT_BYTES, RECORD_BYTES], [32 * 1024, 128 * 1024]],
    ['beyond 128 KiB; its attribute `binnacle.truncated`', [CUT], ['binnacle.truncated']],
  ])('%s', (told, found, meant) => {
    expect(text).toContain(told);
    expect(found).toEqual(meant);
  });
});
