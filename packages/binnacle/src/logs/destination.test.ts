import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileModules } from '../../test/compiled.ts';
import { SettingsError } from '../environment.ts';
import { createFaults } from '../faults.ts';
import { createLogs, type Logs } from './logger.ts';

const FULL = '/dev/full';
const posix = process.platform !== 'win32';
let fileCount = 0;
let folder: string;

/** The room, compiled, so that plain Node.js runs it in processes that may end in any way. */
beforeAll(async () => {
  const compiled = await compileModules('logs/logger.ts', 'faults.ts');
  folder = compiled.folder;
  afterAll(() => compiled.remove());
});

const PRELUDE = `
import { createFaults } from './faults.js';
import { createLogs } from './logs/logger.js';
import fs from 'node:fs';
const faults = createFaults();
const counts = { dropped: 0 };
const open = (more) => createLogs({
  settings: { level: 'INFO', levels: {}, format: 'json', file: process.env.LOG_FILE, caller: false, ...more },
  service: 'child', version: '1', environment: 'test', faults,
  onDropped: (lines) => { counts.dropped += lines; }, onWithoutContext() {},
});
const logs = open();
faults.connect(logs.write);
const { log } = logs;
const burst = (from, to, text = 'x'.repeat(100)) => { for (let n = from; n < to; n++) log.info({ n }, text); };
const tell = () => fs.writeSync(2, JSON.stringify(counts));
`;

interface Started {
  readonly child: ChildProcess;
  readonly file: string;
  ended(): Promise<{ code: number | null; signal: string | null; ms: number; out: string; err: string }>;
}

function start(
  program: string,
  options: { file?: boolean; read?: boolean; spawn?: SpawnOptions; shell?: string } = {},
): Started {
  const path = join(folder, `program-${++fileCount}.mjs`);
  const file = join(folder, `folder-${fileCount}`, 'service.log');
  writeFileSync(path, PRELUDE + program);
  const env = { ...process.env, NODE_OPTIONS: '', LOG_FILE: options.file === true ? file : '' };
  if (options.file !== true) Reflect.deleteProperty(env, 'LOG_FILE');
  const began = performance.now();
  const [command, args] =
    options.shell === undefined
      ? [process.execPath, [path]]
      : ['/bin/sh', ['-c', options.shell, 'sh', process.execPath, path]];
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env, ...options.spawn });
  const parts = { out: [] as Buffer[], err: [] as Buffer[] };
  if (options.read !== false) child.stdout?.on('data', (chunk: Buffer) => parts.out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => parts.err.push(chunk));
  const exit = once(child, 'exit').then(([code, signal]) => ({ code, signal, ms: performance.now() - began }));
  return {
    child,
    file,
    async ended() {
      const { code, signal, ms } = await exit;
      if (options.read !== false) await closed(child);
      return { code, signal, ms, out: Buffer.concat(parts.out).toString(), err: Buffer.concat(parts.err).toString() };
    },
  };
}

async function closed(child: ChildProcess): Promise<void> {
  const { stdout } = child;
  if (stdout !== null && !stdout.destroyed && !stdout.readableEnded) await once(stdout, 'close');
}

const records = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
const numbers = (text: string): unknown[] =>
  records(text)
    .filter((record) => 'n' in record)
    .map((record) => record.n);
/** What is wrong with a sequence, in few words. */
const faultOf = (found: readonly unknown[], count: number): string => {
  const at = found.findIndex((n, i) => n !== i);
  return at >= 0 ? `${found[at]} stands at ${at}` : found.length === count ? '' : `ends at ${found.length}`;
};
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

async function until<T>(get: () => T | undefined | false, ms = 10_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const value = get();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const ENDINGS: readonly (readonly [name: string, program: string, code: number])[] = [
  ['the natural end', 'burst(0, 10000);', 0],
  ['process.exit()', 'burst(0, 10000); process.exit(3);', 3],
  ['an uncaught exception', "burst(0, 10000); throw new Error('broken');", 1],
  ['a rejection', "burst(0, 10000); Promise.reject(new Error('broken'));", 1],
  [
    'lines while writes are under way',
    'for (let i = 0; i < 100; i++) { burst(i * 100, i * 100 + 100); if (i % 7 === 0) await new Promise(setImmediate); } process.exit(3);',
    3,
  ],
  ['lines of other exit handlers', "process.on('exit', () => burst(9000, 10000)); burst(0, 9000); process.exit(3);", 3],
  ['close', 'burst(0, 9999); await logs.close(); process.exit(3); ', 3],
];

describe.each(ENDINGS)('at %s', (name, program, code) => {
  const count = name === 'close' ? 9999 : 10_000;

  test('every line is in the pipe, in order', async () => {
    const { code: ended, out, err } = await start(program).ended();
    expect([ended, err.includes('MaxListeners')]).toEqual([code, false]);
    expect(faultOf(numbers(out), count)).toBe('');
  });

  test('every line is in the file, and in the redirected output, in order', async () => {
    const output = join(folder, `redirected-${fileCount}`);
    const stdout = openSync(output, 'w');
    const started = start(program, { file: true, read: false, spawn: { stdio: ['ignore', stdout, 'pipe'] } });
    expect((await started.ended()).code).toBe(code);
    expect(faultOf(numbers(readFileSync(started.file, 'utf8')), count)).toBe('');
    expect(faultOf(numbers(readFileSync(output, 'utf8')), count)).toBe('');
  });
});

describe('a reader', () => {
  test('that is slow gets every line', async () => {
    const { child, ended } = start('burst(0, 10000); process.exit(0);', { read: false });
    const parts: Buffer[] = [];
    await new Promise((resolve) => setTimeout(resolve, 400));
    child.stdout?.on('data', (chunk: Buffer) => {
      parts.push(chunk);
      child.stdout?.pause();
      setTimeout(() => child.stdout?.resume(), 3);
    });
    await ended();
    await closed(child);
    expect(faultOf(numbers(Buffer.concat(parts).toString()), 10_000)).toBe('');
  });

  test('that reads nothing holds neither the process nor its end up', async () => {
    const program = `
      const began = performance.now();
      burst(0, 30000, 'x'.repeat(300));
      let turns = 0;
      const timer = setInterval(() => { if (++turns < 20) return; clearInterval(timer);
        fs.writeSync(2, 'alive ' + Math.round(performance.now() - began) + ' ' + counts.dropped + '\\n'); process.exit(0); }, 5);`;
    const { child, ended } = start(program, { read: false });
    await once(child.stderr as NonNullable<typeof child.stderr>, 'data');
    const leaving = performance.now();
    const { code, err } = await ended();
    child.stdout?.destroy();
    expect(code).toBe(0);
    expect(performance.now() - leaving).toBeLessThan(2000);
    const [, alive, dropped] = /alive (\d+) (\d+)/.exec(err) ?? [];
    expect(Number(alive)).toBeLessThan(3000);
    expect(Number(dropped)).toBeGreaterThan(0);
  });

  test('that goes away costs lines, one warning, and no crash', async () => {
    const program = `
      process.stdin.once('data', () => { burst(0, 10); setTimeout(() => { burst(10, 20); setTimeout(() => { tell(); process.exit(0); }, 60); }, 60); });
      fs.writeSync(2, ' ');`;
    const { child, file, ended } = start(program, { file: true, read: false });
    await once(child.stderr as NonNullable<typeof child.stderr>, 'data');
    child.stdout?.destroy();
    child.stdin?.write('go');
    const { code, err } = await ended();
    expect(code).toBe(0);
    const lines = records(readFileSync(file, 'utf8'));
    expect(lines.filter((line) => 'n' in line)).toHaveLength(20);
    expect(lines.filter((line) => line.level === 'WARNING')).toMatchObject([
      { message: expect.stringMatching(/^Standard output takes no lines/), error: 'EPIPE' },
    ]);
    expect(JSON.parse(err).dropped).toBeGreaterThan(0);
  });
});

describe('LOG_FILE', () => {
  test.skipIf(!existsSync(FULL))('on a full disk drops, counts, and says so once', async () => {
    const program = `
      const full = open({ file: '${FULL}' });
      faults.connect(full.write);
      for (let n = 0; n < 100; n++) { full.log.info({ n }, 'x'); await new Promise((resolve) => setTimeout(resolve, 1)); }
      await full.close(); tell(); process.exit(0);`;
    const { code, out, err } = await start(program).ended();
    expect(code).toBe(0);
    expect(numbers(out)).toEqual(upTo(100));
    expect(records(out).filter((line) => line.level === 'WARNING')).toMatchObject([
      { logger: 'binnacle', message: expect.stringMatching(/^LOG_FILE takes no lines/), error: 'ENOSPC' },
    ]);
    // The warning itself cannot be written there either.
    expect(JSON.parse(err).dropped).toBe(101);
  });

  test.skipIf(!posix)('that may not grow tears no line, counts each, and recovers by rotation', async () => {
    const program = `
      let n = 0, down = false;
      faults.connect((...line) => { logs.write(...line); down = true; });
      const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      while (!down) { burst(n, n + 10); n += 10; await pause(1); }
      process.stdin.once('data', async () => {
        process.kill(process.pid, 'SIGHUP');
        await pause(50);
        burst(n, n + 10);
        await logs.close(); tell(); process.exit(0);
      });
      fs.writeSync(2, ' ');`;
    // 64 or 128 KiB, by shell: room for what waits to go to the second file.
    const { child, file, ended } = start(program, { file: true, shell: 'ulimit -f 128; exec "$@"' });
    await once(child.stderr as NonNullable<typeof child.stderr>, 'data');
    const before = readFileSync(file, 'utf8');
    rmSync(file);
    child.stdin?.write('go');
    const { out, err } = await ended();
    const all = numbers(out);
    expect(all).toEqual(upTo(all.length));
    const after = readFileSync(file, 'utf8');
    const whole = before.slice(0, before.lastIndexOf('\n') + 1);
    expect(numbers(after).slice(-10)).toEqual(all.slice(-10));
    expect(records(out).filter((line) => String(line.message).includes('takes'))).toMatchObject([
      { level: 'WARNING', error: 'EFBIG' },
      { level: 'WARNING' },
    ]);
    const { dropped } = JSON.parse(err);
    expect(dropped).toBeGreaterThan(0);
    expect(records(whole).length + records(after).length + dropped).toBe(records(out).length);
  });

  test.skipIf(!posix)('is reopened on SIGHUP, without losing a line', async () => {
    const program = `
      let n = 0;
      const timer = setInterval(() => { burst(n, n + 20); n += 20; }, 1);
      process.stdin.once('data', async () => { clearInterval(timer); await logs.close(); fs.writeSync(2, String(n)); process.exit(0); });`;
    const { child, file, ended } = start(program, { file: true });
    await until(() => existsSync(file) && readFileSync(file).length > 10_000);
    const rotated = `${file}.1`;
    (await import('node:fs')).renameSync(file, rotated);
    child.kill('SIGHUP');
    await until(() => existsSync(file) && readFileSync(file).length > 10_000);
    child.stdin?.write('stop');
    const { err, out } = await ended();
    expect(numbers(readFileSync(rotated, 'utf8') + readFileSync(file, 'utf8'))).toEqual(upTo(Number(err)));
    expect(numbers(out)).toEqual(upTo(Number(err)));
  });

  test.skipIf(!posix)('alone keeps SIGHUP from ending the process', async () => {
    const started = start("setInterval(() => {}, 1000); log.info('ready');");
    await once(started.child.stdout as NonNullable<typeof started.child.stdout>, 'data');
    started.child.kill('SIGHUP');
    expect((await started.ended()).signal).toBe('SIGHUP');
  });

  test('that cannot be written stops the start, by name', () => {
    const file = join(folder, 'package.json', 'below', 'service.log');
    for (const path of [file, folder]) {
      const attempt = (): Logs => openHere(path);
      expect(attempt).toThrow(SettingsError);
      expect(attempt).toThrow(/^LOG_FILE=".*" is not usable: allowed is the path of a file that can be written/);
    }
  });

  test('holds the same lines as the output', async () => {
    const lines: string[] = [];
    const path = join(folder, 'made', 'on', 'the', 'way', 'text.log');
    const logs = openHere(path, { format: 'text', lines });
    logs.log.info({ a: 1 }, 'hello');
    logs.log.error(new Error('x'));
    await logs.flush();
    expect(readFileSync(path, 'utf8')).toBe(lines.join(''));
    await logs.close();
    logs.log.info('late');
    expect(readFileSync(path, 'utf8')).not.toContain('late');
    expect(lines.join('')).toContain('late');
  });
});

function openHere(file: string | undefined, more: { format?: 'text' | 'json'; lines?: string[] } = {}): Logs {
  return createLogs({
    settings: { level: 'INFO', levels: {}, format: more.format ?? 'json', file, caller: false },
    service: 's',
    version: '1',
    environment: 'test',
    faults: createFaults(),
    onDropped: () => {},
    onWithoutContext: () => {},
    destination: { write: (line) => more.lines?.push(line) },
  });
}

describe('the process', () => {
  test('a line reaches its destination within 100 ms, even while the process computes', { retry: 2 }, async () => {
    const program = `
      log.info('start');
      setTimeout(() => { log.info('idle'); setTimeout(() => {
        for (let line = 0; line < 120; line++) { const pause = performance.now() + 5; while (performance.now() < pause); log.info('busy'); }
      }, 200); }, 200);`;
    const { child, ended } = start(program, { read: false });
    const delays = new Map<string, number[]>();
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const now = Date.now();
      for (const { message, timestamp } of records(chunk)) {
        const known = delays.get(String(message)) ?? [];
        delays.set(String(message), [...known, now - Date.parse(String(timestamp))]);
      }
    });
    await ended();
    await closed(child);
    expect(delays.get('idle')?.[0]).toBeLessThan(100);
    const busy = (delays.get('busy') ?? []).sort((a, b) => a - b);
    expect(busy).toHaveLength(120);
    expect(busy[Math.floor(busy.length / 2)]).toBeLessThan(100);
  });

  test('is not kept alive, and has one listener however many logs there are', async () => {
    const program = `
      // Node.js has a listener of its own while a module awaits.
      const before = process.listenerCount('exit') - 1;
      const many = Array.from({ length: 50 }, (_, i) => open({ file: process.env.LOG_FILE + i }));
      for (const each of many) each.log.info('x');
      const during = [process.listenerCount('exit') - before, process.listenerCount('SIGHUP')];
      await Promise.all([...many, logs].map((each) => each.close()));
      const after = [process.listenerCount('exit') - before, process.listenerCount('SIGHUP')];
      fs.writeSync(2, JSON.stringify({ during, after }));`;
    const { code, err } = await start(program, { file: true }).ended();
    expect(code).toBe(0);
    expect(JSON.parse(err)).toEqual({ during: [1, 1], after: [0, 0] });
  });

  test('ends at once when there is nothing left to do', async () => {
    const { code, ms, out } = await start("log.info('x');", { file: true }).ended();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(3000);
    expect(records(out)).toHaveLength(1);
  });
});
