import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} Entry a package in a lock file
 * @property {string} [version]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [optionalDependencies]
 * @property {Record<string, string>} [peerDependencies]
 * @property {Record<string, { optional?: boolean }>} [peerDependenciesMeta]
 */

/** @typedef {{ name: string, version: string, path: string }} Package */

/**
 * Everything that npm installs for some packages, by a project's lock file: dependencies, and peers that are not
 * optional. Sorted by name; two versions of one are two packages.
 * @param {string} root the project
 * @param {readonly string[]} roots names of packages, or a workspace's path
 * @param {readonly string[]} [hosts] packages that are there anyway and not counted, with all that only they need
 * @returns {Package[]}
 */
export function packagesOf(root, roots, hosts = []) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const packages = /** @type {Record<string, Entry>} */ (lock.packages);
  /** @type {Map<string, Package>} */
  const found = new Map();
  const visit = (/** @type {string} */ path) => {
    if (found.has(path)) return;
    const entry = packages[path] ?? {};
    const name = path.replace(/^(.*node_modules|packages)\//, '');
    found.set(path, { name, version: entry.version ?? '', path });
    for (const [needed, must] of neededBy(entry)) {
      if (hosts.includes(needed)) continue;
      const there = lookUp(packages, path, needed);
      if (there !== undefined) visit(there);
      else if (must) throw new Error(`${path} needs ${needed}, which ${root}package-lock.json does not have`);
    }
  };
  for (const start of roots) {
    const path = start in packages ? start : `node_modules/${start}`;
    if (packages[path] === undefined) throw new Error(`${root}package-lock.json does not have ${start}`);
    visit(path);
  }
  const order = (/** @type {Package} */ one) => `${one.name}\0${one.path}`;
  return [...found.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

/**
 * @param {Entry} entry
 * @returns {[name: string, must: boolean][]}
 */
function neededBy({ dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} }) {
  const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
  return [
    ...Object.keys(dependencies).map((name) => /** @type {[string, boolean]} */ ([name, true])),
    ...peers.map((name) => /** @type {[string, boolean]} */ ([name, true])),
    ...Object.keys(optionalDependencies).map((name) => /** @type {[string, boolean]} */ ([name, false])),
  ];
}

/**
 * Where Node.js finds a package that another one imports: beside it, or further up.
 * @param {Record<string, Entry>} packages
 * @param {string} from
 * @param {string} name
 */
function lookUp(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, folder.lastIndexOf('/node_modules/'))) {
    const path = `${folder}/node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (!folder.includes('/node_modules/')) break;
  }
  const top = `node_modules/${name}`;
  return packages[top] === undefined ? undefined : top;
}

/**
 * Bytes of a package as it is installed, without what is installed within it.
 * @param {string} root the project
 * @param {Package} one
 */
export function bytesOf(root, { path }) {
  const folder = join(root, path);
  // An optional package for another platform is in the lock file and not here.
  return existsSync(folder) ? bytesIn(folder) : 0;
}

/** @param {string} folder @returns {number} */
function bytesIn(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += entry.name === 'node_modules' ? 0 : bytesIn(path);
    else bytes += lstatSync(path).size;
  }
  return bytes;
}
