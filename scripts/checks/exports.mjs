import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNode } from '../run.mjs';

const LIBRARY = 'packages/binnacle';
const LOAD_MS = 20_000;
/** The status of a process that took longer. */
const KILLED = 128 + 9;

/**
 * The library as it is published: its package.json fits its files, and each entry loads and lets the process end.
 * @param {string} root
 */
export async function checkExports(root) {
  const pkg = JSON.parse(readFileSync(join(root, LIBRARY, 'package.json'), 'utf8'));
  const entries = Object.keys(pkg.exports).filter((key) => !key.includes('*') && !key.endsWith('.json'));
  const names = entries.map((key) => pkg.name + key.slice(1));
  const troubles = [await lintPackage(root, pkg)];
  for (const name of names) {
    troubles.push(await load(root, 'module', `await import('${name}')`));
    if (process.features.require_module) troubles.push(await load(root, 'commonjs', `require('${name}')`));
  }
  return troubles.filter((line) => line !== '').join('\n');
}

/**
 * @param {string} root
 * @param {Record<string, unknown>} pkg
 */
async function lintPackage(root, pkg) {
  const { publint } = await import('publint');
  const { formatMessage } = await import('publint/utils');
  const { messages } = await publint({ pkgDir: join(root, LIBRARY), pack: 'npm', strict: true });
  return messages
    .filter(({ type }) => type !== 'suggestion')
    .map((message) => `publint: ${message.type}: ${formatMessage(message, pkg, { color: false }) ?? message.code}`)
    .join('\n');
}

/**
 * @param {string} root
 * @param {'module' | 'commonjs'} kind
 * @param {string} expression
 */
async function load(root, kind, expression) {
  const code = `if (Object.keys(${expression}).length === 0) throw new Error('it exports nothing')`;
  const args = ['--disable-warning=ExperimentalWarning', `--input-type=${kind}`, '--eval', code];
  const { status, output } = await runNode(args, { cwd: root, timeoutMs: LOAD_MS });
  if (status === 0) return '';
  if (status === KILLED) return `${expression} keeps the process alive: nothing may run until observe() is called`;
  return `${expression} fails:\n${output.trim()}`;
}
