import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packLibrary } from '../pack.mjs';
import { runNode } from '../run.mjs';

const LIBRARY = 'packages/binnacle';
const ATTW = 'node_modules/@arethetypeswrong/cli/dist/index.js';
const LOAD_MS = 20_000;
/** The status of a process that took longer. */
const KILLED = 128 + 9;

/**
 * The library as it is published: its package.json fits its files, its types are found, and each entry loads and lets
 * the process end.
 * @param {string} root
 */
export async function checkExports(root) {
  const pkg = JSON.parse(readFileSync(join(root, LIBRARY, 'package.json'), 'utf8'));
  const entries = Object.keys(pkg.exports).filter((key) => !key.includes('*') && !key.endsWith('.json'));
  const names = entries.map((key) => pkg.name + key.slice(1));
  const troubles = [await checkTarball(root, pkg)];
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
export async function checkTarball(root, pkg) {
  const packed = await packLibrary(join(root, LIBRARY));
  try {
    const troubles = [
      ...wrongFiles(packed.files),
      await publint(pkg, packed.tarball),
      await attw(root, packed.tarball),
    ];
    return troubles.filter((line) => line !== '').join('\n');
  } finally {
    packed.remove();
  }
}

/**
 * What is published and should not be, and the other way round.
 * @param {readonly string[]} files
 */
export function wrongFiles(files) {
  const wanted = ['LICENSE', 'NOTICE', 'README.md', 'package.json'].filter((file) => !files.includes(file));
  const stray = files.filter(
    (file) =>
      !/^(LICENSE|NOTICE|README\.md|package\.json)$|^dist\/.+(?<!\.test|-helper)(\.d\.ts|\.js)$/.test(file) &&
      !/^dist\/console\/(index\.html|licenses\.txt|assets\/[\w-]+\.(css|woff2|svg))$/.test(file),
  );
  return [
    ...wanted.map((file) => `${LIBRARY}: ${file} is not in the package`),
    ...stray.map((file) => `${LIBRARY}: ${file} is in the package, and nobody needs it there`),
  ];
}

/**
 * @param {Record<string, unknown>} pkg
 * @param {string} tarball
 */
async function publint(pkg, tarball) {
  const { publint: lint } = await import('publint');
  const { formatMessage } = await import('publint/utils');
  const { buffer, byteOffset, byteLength } = readFileSync(tarball);
  const bytes = /** @type {ArrayBuffer} */ (buffer.slice(byteOffset, byteOffset + byteLength));
  const { messages } = await lint({ pack: { tarball: bytes }, strict: true });
  return messages
    .map((message) => `publint: ${message.type}: ${formatMessage(message, pkg, { color: false }) ?? message.code}`)
    .join('\n');
}

/**
 * Whether TypeScript finds the types of each entry. By the profile `esm-only`: Node.js lets CommonJS require an ES
 * module from 20.19 on, the least version here, which this tool does not know yet (a test compiles and runs such a
 * user); and TypeScript's resolution of Node.js 10 knows no `exports`.
 * @param {string} root
 * @param {string} tarball
 */
async function attw(root, tarball) {
  const args = [join(root, ATTW), tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji', '--no-color'];
  const { status, output } = await runNode(args, { cwd: root });
  return status === 0 ? '' : `attw: ${output.trim()}`;
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
