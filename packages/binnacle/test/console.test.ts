/** The console in a process: what it costs where it is off, and that no page keeps a process from its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { openPage } from './console/page.ts';

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const PROGRAM = fileURLToPath(new URL('console/program.ts', import.meta.url));

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Running {
  readonly child: ChildProcess;
  /** What it says first. */
  readonly said: Readonly<Record<string, unknown>>;
  /** Its status, once it has ended. */
  readonly ended: Promise<number | null>;
}

async function run(env: Readonly<Record<string, string>>): Promise<Running> {
  const child = spawn(process.execPath, ['--import', TSX, PROGRAM], {
    env: { PATH: process.env.PATH ?? '', LOG_FORMAT: 'json', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  children.push(child);
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const [said] = (await Promise.race([
    once(child, 'message'),
    ended.then((code) => Promise.reject(new Error(`it ended with ${code}`))),
  ])) as [Running['said']];
  return { child, said, ended };
}

describe('a service without a console', () => {
  test('loads nothing of it', async () => {
    const { said, ended } = await run({ CONSOLE_ENABLED: 'true' });
    expect(said.loaded).toEqual([]);
    expect(await ended).toBe(0);
  });
});

describe('a service with one', () => {
  test('loads it, and ends when nothing else keeps it', async () => {
    const { said, ended } = await run({ CONSOLE: 'on' });
    expect(said.loaded).toEqual(expect.arrayContaining([expect.stringContaining('/src/console/embedded.ts')]));
    expect(await ended).toBe(0);
  });

  test('that is turned off by its variable loads nothing of it', async () => {
    const { said, ended } = await run({ CONSOLE: 'on', CONSOLE_ENABLED: 'false' });
    expect(said.loaded).toEqual([]);
    expect(await ended).toBe(0);
  });

  test.each([
    ['its listener is closed, and nothing else', 'close'],
    ['it is stopped', 'stop'],
  ])('ends with a page open when %s', async (_, how) => {
    const { child, said, ended } = await run({ CONSOLE: 'on', SERVES: '1' });
    const page = await openPage(`http://127.0.0.1:${said.port}`);
    await page.until((seen) => seen.told('hello').length === 1);
    child.send(how);
    expect(await ended).toBe(0);
    await page.ended;
  });

  test.each(['node', 'express'])(
    'ends by its listener with a page open on the management port (%s)',
    async (serves) => {
      const { child, said, ended } = await run({ CONSOLE: 'on', SERVES: serves, MANAGEMENT_PORT: '0' });
      const page = await openPage(`http://127.0.0.1:${said.management}`);
      await page.until((seen) => seen.told('hello').length === 1);
      child.send('close');
      expect(await ended).toBe(0);
      page.close();
    },
  );
});
