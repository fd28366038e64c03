/**
 * Node.js in other versions than the one that runs the tests: the binaries that npm has of it, by the packages for one
 * platform each. They stay in `.cache` between runs: as dependencies, each installation would fetch 250 MB.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CACHE = fileURLToPath(new URL('../../../../.cache/nodes', import.meta.url));
const INSTALL_MS = 120_000;

/** A version of Node.js, or why there is none. */
export type NodeBinary =
  | { readonly major: number; readonly path: string; readonly version: string }
  | { readonly major: number; readonly missing: string };

/** Finds the newest of a major version; a missing one is an error where `REQUIRE_SERVERS=1` says that nothing is skipped. */
export async function findNode(major: number): Promise<NodeBinary> {
  const own = Number(process.versions.node.split('.')[0]) === major;
  const path = own ? process.execPath : binaryOf(major);
  try {
    if (!existsSync(path)) await install(major);
    const { stdout } = await run(path, ['-p', 'process.versions.node']);
    return { major, path, version: stdout.trim() };
  } catch (error) {
    const missing = `Node.js ${major} could not be had: ${reasonOf(error)}`;
    if (process.env.REQUIRE_SERVERS === '1') throw new Error(missing, { cause: error });
    return { major, missing };
  }
}

/** What npm said went wrong, in its first line; else the error's own. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const said = 'stderr' in error ? /^npm (?:error|ERR!) (?:code )?(.+)$/m.exec(String(error.stderr))?.[1] : undefined;
  return said ?? error.message.split('\n', 1)[0] ?? '';
}

function binaryOf(major: number): string {
  const file = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  return join(CACHE, String(major), 'node_modules', packageName(), file);
}

function packageName(): string {
  return `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
}

/** The package has no scripts, and none would be run. Test files run side by side: whoever is first puts it in place. */
async function install(major: number): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, `${major}-`));
  const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  try {
    await run('npm', ['install', '--prefix', folder, ...flags, `${packageName()}@${major}`], {
      cwd: folder,
      timeout: INSTALL_MS,
      shell: process.platform === 'win32',
    });
    renameSync(folder, join(CACHE, String(major)));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if (!existsSync(binaryOf(major))) throw error;
  }
}
