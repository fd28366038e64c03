/** docs/getting-started.md as a newcomer walks it: each command and each file of it, in an empty folder a framework. */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { until } from '../../../apps/fit-check/test/until.ts';
import { quietPort } from './pack/port.ts';
import { unreachable } from './pack/project.ts';
import { applyWhole, type Block, blocksOf, isAsPrinted } from './pack/walk.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PAGE = blocksOf(new URL('../../../docs/getting-started.md', import.meta.url));
const FRAMEWORKS = ['node:http', 'Fastify', 'Express', 'Hono', 'NestJS'] as const;
type Framework = (typeof FRAMEWORKS)[number];
/** How long a command may take, in milliseconds, where the machine is busy with other tests too. */
const COMMAND_MS = 150_000;

const blocks = (section: string, language: string): string[] => {
  const found = (PAGE.get(section) ?? []).filter((block) => block.language === language).map(({ text }) => text);
  if (found.length === 0) throw new Error(`"${section}" has no block of ${language}`);
  return found;
};

/** The newcomer's home folder: what is packed lands there. */
const home = mkdtempSync(join(tmpdir(), 'binnacle-walk-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
/** With npm's own settings and cache, which are found by the real home folder. */
const NPM = {
  npm_config_cache: process.env.npm_config_cache ?? join(homedir(), '.npm'),
  npm_config_userconfig: process.env.npm_config_userconfig ?? join(homedir(), '.npmrc'),
  ...{ npm_config_prefer_offline: 'true', npm_config_audit: 'false', npm_config_update_notifier: 'false' },
};

async function sh(script: string, cwd: string): Promise<string> {
  const env = { ...process.env, ...NPM, PATH, HOME: home };
  return (await promisify(execFile)('sh', ['-ec', script], { cwd, env, timeout: COMMAND_MS })).stdout;
}

/** A command in a terminal of its own, until Ctrl+C. */
interface Terminal {
  readonly lines: readonly string[];
  isOpen(): boolean;
  interrupt(): Promise<void>;
}

function openTerminal(script: string, cwd: string): Terminal {
  const child = spawn('sh', ['-ec', script], {
    ...{ cwd, env: { PATH, HOME: home, ...NPM }, detached: true },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  let open = true;
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => {
      open = false;
      resolve();
    });
  });
  return {
    lines,
    isOpen: () => open,
    async interrupt() {
      // As a terminal does: all that runs in it.
      if (open && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
      const timer = setTimeout(() => open && child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'), 30_000);
      await closed;
      clearTimeout(timer);
    },
  };
}

const answerOf = (terminal: Terminal, url: string): Promise<string> =>
  until(
    `${url} answers`,
    () => {
      if (!terminal.isOpen()) throw new Error(`it ended:\n${terminal.lines.join('\n')}`);
      return fetch(url).then(
        (response) => response.text(),
        () => undefined,
      );
    },
    COMMAND_MS,
  );

/** The files of a section, in order, by the name in their first line. */
const filesOf = (section: string, language: string): (readonly [name: string, text: string])[] =>
  blocks(section, language).map((text) => [/^\/\/ ([\w./-]+\.\w+)/.exec(text)?.[1] ?? 'server.mjs', text]);

interface Place {
  readonly folder: string;
  write(name: string, text: string): void;
  /** What is printed, for the ports that are free here. */
  here(text: string): string;
  readonly url: string;
}

async function createPlace(framework: Framework): Promise<Place> {
  const folder = join(home, `hello-${FRAMEWORKS.indexOf(framework)}`);
  const [port, receiver] = [await quietPort(), await quietPort()];
  const here = (text: string): string => text.replaceAll('3000', String(port)).replaceAll('4318', String(receiver));
  mkdirSync(join(folder, 'src'), { recursive: true });
  mkdirSync(join(folder, 'receiver'));
  return {
    folder,
    here,
    url: `http://127.0.0.1:${port}`,
    write: (name, text) => writeFileSync(join(folder, name), here(text)),
  };
}

/** The folders with all that is installed, or why there is none. */
async function install(): Promise<ReadonlyMap<Framework, Place> | string> {
  const [packing = ''] = blocks('Install', 'sh');
  const [first, ...rest] = packing.split('\n');
  // Whoever runs this has installed the repository; other tests need it as it is.
  expect(first).toBe('npm ci');
  try {
    await sh(rest.join('\n'), ROOT);
    const places = FRAMEWORKS.map(async (framework) => {
      const place = await createPlace(framework);
      await sh(blocks(framework, 'sh')[0] ?? '', place.folder);
      return [framework, place] as const;
    });
    return new Map(await Promise.all(places));
  } catch (error) {
    return unreachable(error);
  }
}

const installed = process.platform === 'win32' ? 'the commands are for a POSIX shell' : await install();
const missing = typeof installed === 'string' ? installed : undefined;

describe.skipIf(missing !== undefined)(`the walk${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  test('is of each framework', () => {
    const others = ['Install', 'Where traces go', 'Ask it', 'And then'];
    expect([...PAGE.keys()].filter((section) => !others.includes(section))).toEqual(FRAMEWORKS);
  });

  test.concurrent.each(FRAMEWORKS)('%s', { timeout: 2 * COMMAND_MS }, async (framework) => {
    const place = (installed as ReadonlyMap<Framework, Place>).get(framework) as Place;
    const start = blocks(framework, 'sh').at(-1) ?? '';
    const isTypeScript = framework === 'NestJS';
    const files = filesOf(framework, isTypeScript ? 'ts' : 'js');
    for (const [name, text] of [...files, ...(isTypeScript ? filesOf(framework, 'json') : [])]) place.write(name, text);
    await runAsItWas(place, start);
    const [name = '', original = ''] = files.at(-1) ?? [];
    const [diff = ''] = blocks(framework, 'diff');
    expect(diff.split('\n').filter((line) => line.startsWith('+')).length).toBeLessThanOrEqual(8);
    place.write(name, applyWhole(diff, original));
    await runObserved(place, start);
  });
});

/** The framework's own example: it answers, and has none of what is to come. */
async function runAsItWas({ folder, url }: Place, start: string): Promise<void> {
  const service = openTerminal(start, folder);
  try {
    expect(await answerOf(service, `${url}/`)).toMatch(/hello/i);
    expect(await (await fetch(`${url}/metrics`)).text()).not.toContain('http_server_request_duration_seconds');
  } finally {
    await service.interrupt();
  }
}

async function runObserved({ folder, here, url, write }: Place, start: string): Promise<void> {
  const [[file = '', text = ''] = []] = filesOf('Where traces go', 'js');
  const [startReceiver = '', settings = ''] = blocks('Where traces go', 'sh');
  write(join('receiver', file), text);
  const receiver = openTerminal(startReceiver, join(folder, 'receiver'));
  const service = openTerminal(here(settings) + start, folder);
  try {
    await answerOf(service, `${url}/health/live`);
    await runPrinted(PAGE.get('Ask it') ?? [], here, folder);
    const [printedLine = ''] = blocks('Ask it', 'json');
    const closing = await until('the closing line', () => service.lines.find((line) => isAsPrinted(printedLine, line)));
    const printedSpan = blocks('Ask it', 'text').at(-1) ?? '';
    const span = await until('the trace', () => receiver.lines.find((line) => isAsPrinted(printedSpan, line)));
    expect(span).toBe(`${(JSON.parse(closing) as { trace_id: string }).trace_id} GET /`);
    await service.interrupt();
    expect(service.lines.at(-1)).toContain('"message":"Shut down"');
  } catch (error) {
    throw new Error(`the service said:\n${service.lines.join('\n')}\nthe receiver:\n${receiver.lines.join('\n')}`, {
      cause: error,
    });
  } finally {
    await Promise.all([service.interrupt(), receiver.interrupt()]);
  }
}

/** Each command, and its output where that is printed behind it. */
async function runPrinted(walked: readonly Block[], here: (text: string) => string, folder: string): Promise<void> {
  for (const [index, { language, text }] of walked.entries()) {
    if (language !== 'sh') continue;
    const output = await sh(here(text), folder);
    const next = walked[index + 1];
    if (next?.language !== 'text') expect(output).toMatch(/hello/i);
    else if (!isAsPrinted(next.text, output)) expect(output).toBe(next.text);
  }
}
