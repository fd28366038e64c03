/** What the bench reads of a process from outside, and within it: against what the process itself knows. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { loadBench } from './modules.ts';

const { cpuMs, rssMiB } = await loadBench<{ cpuMs(pid: number): number; rssMiB(pid: number): number }>('cpu.mjs');
const ALLOCATED = fileURLToPath(new URL('../../bench/allocated.mjs', import.meta.url));

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Runs a module that sends one message, and keeps its process. */
async function start<T>(code: string): Promise<{ pid: number; told: T }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.push(child);
  const [told] = (await once(child, 'message')) as [T];
  return { pid: child.pid as number, told };
}

const BURN = 'const burn = (ms) => { for (const end = performance.now() + ms; performance.now() < end; ); };';

describe.runIf(process.platform === 'linux')("a process's CPU time", () => {
  test('is that of all its threads, those that have ended too', async () => {
    const { pid, told } = await start<number>(`
      import { once } from 'node:events';
      import { Worker } from 'node:worker_threads';
      ${BURN}
      burn(150);
      const worker = new Worker(${JSON.stringify(`${BURN} burn(150);`)}, { eval: true });
      await once(worker, 'exit');
      const { user, system } = process.cpuUsage();
      process.send((user + system) / 1000);
      setInterval(() => {}, 1000);`);
    const seen = cpuMs(pid);
    // Sending takes a little more; threads that have ended are known to the tick, twice.
    expect(seen).toBeGreaterThan(told - 30);
    expect(seen).toBeLessThan(told + 60);
  });

  test('is that of its children too, and so is its memory', async () => {
    const { pid, told } = await start<number>(`
      import { spawn } from 'node:child_process';
      import { once } from 'node:events';
      const code = ${JSON.stringify(`${BURN} burn(300); const { user, system } = process.cpuUsage(); process.send((user + system) / 1000); process.on('disconnect', () => process.exit());`)};
      const child = spawn(process.execPath, ['--eval', code], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      const [told] = await once(child, 'message');
      const { user, system } = process.cpuUsage();
      process.on('exit', () => child.kill('SIGKILL'));
      process.on('disconnect', () => process.exit());
      process.send(told + (user + system) / 1000);`);
    expect(cpuMs(pid)).toBeGreaterThan(told - 40);
    expect(cpuMs(pid)).toBeLessThan(told + 80);
    expect(rssMiB(pid)).toBeGreaterThan(40);
  });

  test('of one that is gone is an error, not nothing', () => {
    expect(() => cpuMs(2 ** 22 + 1)).toThrow('is gone');
  });
});

test("the heap's bytes are counted across collections", async () => {
  const count = (objects: number): string => `
    import { startCounting } from ${JSON.stringify(ALLOCATED)};
    let kept;
    const work = () => { for (let at = 0; at < ${objects}; at += 1) kept = new Array(1000).fill(at); };
    work();
    const stop = startCounting();
    work();
    process.send(stop() / ${objects});`;
  // 8 bytes a slot, or 4 where pointers are compressed; a young generation holds some thousands of them.
  const { told: few } = await start<number>(count(1000));
  const { told: many } = await start<number>(count(50_000));
  expect(many).toBeGreaterThan(4000);
  expect(many).toBeLessThan(8600);
  expect(few / many).toBeGreaterThan(0.9);
  expect(few / many).toBeLessThan(1.2);
});
