import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Compiled, compileModules } from '../test/compiled.ts';

const run = promisify(execFile);

/** What a tick costs after collections that met none, to what it cost before them, in one process. */
const PROGRAM = `
import { setTimeout as sleep } from 'node:timers/promises';
import { observe } from './observe.js';
const obs = observe({ service: 'ticks' });
const ticks = (count) => new Promise((done) => {
  const tick = () => void (--count === 0 ? done() : process.nextTick(tick));
  process.nextTick(tick);
});
const cost = async () => {
  await ticks(100_000);
  const before = process.cpuUsage();
  await ticks(500_000);
  const { user, system } = process.cpuUsage(before);
  return user + system;
};
const first = await cost();
for (let round = 0; round < 8; round += 1) {
  await sleep(2);
  gc();
}
console.log((await cost()) / first);
await obs.close();
`;

let compiled: Compiled;
beforeAll(async () => {
  compiled = await compileModules('observe.ts');
});
afterAll(() => compiled?.remove());

test('collections that meet no tick do not make later ones dearer', async () => {
  const file = `${compiled.folder}/program.mjs`;
  writeFileSync(file, PROGRAM);
  const { stdout } = await run(process.execPath, ['--expose-gc', file]);
  const ratio = Number(stdout.trim().split('\n').at(-1));
  expect(ratio).toBeGreaterThan(0);
  expect(ratio).toBeLessThan(2);
});
