import { runNode } from '../run.mjs';

const BIOME = 'node_modules/@biomejs/biome/bin/biome';
const TSC = 'node_modules/typescript/bin/tsc';
const PROJECTS = ['.', 'packages/binnacle', 'scripts', 'examples', 'apps/fit-check/page', 'apps/console/page'];

/**
 * Everything that `npm run format` puts right, the order of imports too.
 * @param {string} root
 */
export function checkFormat(root) {
  return trouble(root, [BIOME, 'check', '--linter-enabled=false', '--colors=off', '.']);
}

/** @param {string} root */
export function checkLint(root) {
  return trouble(root, [BIOME, 'lint', '--error-on-warnings', '--colors=off', '.']);
}

/**
 * The sources and tests, then the library as users get it (declarations of each file on its own), the scripts, the
 * examples, and the pages with a browser's types.
 * @param {string} root
 */
export async function checkTypes(root) {
  const outputs = await Promise.all(PROJECTS.map((project) => trouble(root, [TSC, '-p', project, '--noEmit'])));
  return outputs.filter((output) => output !== '').join('\n');
}

/**
 * @param {string} root
 * @param {string[]} args
 * @returns {Promise<string>} what the tool has to say, or '' where all is well
 */
async function trouble(root, args) {
  const { status, output } = await runNode(args, { cwd: root });
  if (status === 0) return '';
  return output.trim() || `${args.join(' ')} ended with status ${status} and said nothing`;
}
