/** An empty project that installs the packed library, as its users do. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadScript } from '../../../../test/scripts/module.ts';
import { compilePackage } from '../compiled-package.ts';

const INSTALL_MS = 120_000;
/** What npm says where no registry answers. */
const UNREACHABLE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED)\b/;

export interface Project {
  readonly folder: string;
  /** Writes a file and gives its path. */
  write(name: string, text: string): string;
  /** Entries of the library: `./fastify`. */
  exports(): readonly string[];
  remove(): void;
}

/** Why npm could not install, where that was a registry that does not answer; any other error is thrown again. */
export function unreachable(error: unknown): string {
  const code = UNREACHABLE.exec(String((error as { stderr?: unknown }).stderr))?.[1];
  // `REQUIRE_SERVERS=1` says that nothing is skipped.
  if (code === undefined || process.env.REQUIRE_SERVERS === '1') throw error;
  return `the registry could not be reached: ${code}`;
}

interface Packed {
  readonly tarball: string;
  remove(): void;
}

/**
 * Packs the library as it is in the sources now, and installs it beside other packages, outside of the repository. A
 * registry that does not answer is the reason that is given, or an error where `REQUIRE_SERVERS=1` says that nothing is
 * skipped.
 */
export async function createProject(packages: readonly string[]): Promise<Project | { readonly missing: string }> {
  const { packLibrary } = await loadScript<{ packLibrary(library: string): Promise<Packed> }>('pack.mjs');
  const compiled = await compilePackage();
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-project-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  let packed: Packed | undefined;
  try {
    packed = await packLibrary(compiled.library);
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
    await promisify(execFile)('npm', ['install', ...flags, packed.tarball, ...packages], {
      cwd: folder,
      timeout: INSTALL_MS,
      shell: process.platform === 'win32',
    });
  } catch (error) {
    remove();
    return { missing: unreachable(error) };
  } finally {
    packed?.remove();
    compiled.remove();
  }
  return {
    folder,
    write(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    exports() {
      const path = join(folder, 'node_modules', 'binnacle', 'package.json');
      return Object.keys((JSON.parse(readFileSync(path, 'utf8')) as { exports: object }).exports);
    },
    remove,
  };
}
