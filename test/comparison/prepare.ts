/** What the comparison needs: the library built, and the usual assembly's packages in the bench's folder. */
import { fileURLToPath } from 'node:url';
import { loadScript } from '../scripts/module.ts';

const BENCH = fileURLToPath(new URL('../../bench/', import.meta.url));

/** Why it cannot be made here; undefined where it can. Throws then where `REQUIRE_SERVERS=1` forbids to skip it. */
export async function prepareComparison(): Promise<string | undefined> {
  const { ensureBuilt } = await loadScript<{ ensureBuilt(): Promise<unknown> }>('build.mjs');
  const { ensureInstalled } = await loadScript<{ ensureInstalled(root: string): Promise<boolean> }>('install.mjs');
  await ensureBuilt();
  try {
    await ensureInstalled(BENCH);
    return undefined;
  } catch (error) {
    if (process.env.REQUIRE_SERVERS === '1') throw error;
    return `the usual assembly's packages could not be installed: ${(error as Error).message.split('\n')[0]}`;
  }
}
