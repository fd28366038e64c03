import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const OUTPUT = /^(node_modules|dist|dist\..*|coverage|\..*)$/;

/**
 * The files below `folder`, sorted, as paths with `/` from `root`; what was installed or built is left out.
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
export function filesIn(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return OUTPUT.test(entry.name) ? [] : filesIn(root, path);
      return entry.isFile() ? [path] : [];
    })
    .sort();
}
