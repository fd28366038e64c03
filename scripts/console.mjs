import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runNode } from './run.mjs';

const VITE = 'node_modules/vite/bin/vite.js';
/** The page of the console, a package of its own so that who installs the library installs none of its parts. */
export const CONSOLE = 'apps/console';
/** What its page is built of beside its own files. */
export const CONSOLE_PARTS = ['vite', 'preact', 'uplot', '@fontsource-variable/geist'];

/**
 * Builds the console's page.
 * @param {string} root
 * @param {string} dist
 * @returns {Promise<import('./run.mjs').Ran>}
 */
export function buildConsole(root, dist) {
  const args = [join(root, VITE), 'build', '--config', join(root, CONSOLE, 'vite.config.ts'), '--outDir', dist];
  // Whatever the one who builds works on, the page is for those who look at it.
  return runNode([...args, '--logLevel', 'warn'], {
    cwd: join(root, CONSOLE),
    env: { ...process.env, NODE_ENV: 'production' },
  });
}

/**
 * Puts the page that was built where the library serves it from.
 * @param {string} root
 * @param {string} dist of the library
 */
export function takeConsole(root, dist) {
  const page = join(root, CONSOLE, 'dist');
  if (!existsSync(page)) return;
  cpSync(page, join(dist, 'console'), { recursive: true });
  rmSync(join(dist, 'console', '.build-stamp'), { force: true });
}
