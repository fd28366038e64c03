import { basename } from 'node:path';
import { run, runNode } from './run.mjs';

/**
 * Runs npm: the one that runs this script, else the one on the path.
 * @param {string[]} args
 * @param {import('./run.mjs').RunOptions} options
 */
export function npm(args, options) {
  const own = process.env.npm_execpath;
  if (own !== undefined && basename(own) === 'npm-cli.js') return runNode([own, ...args], options);
  return run('npm', args, { ...options, shell: process.platform === 'win32' });
}
