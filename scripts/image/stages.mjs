// A Dockerfile's stages, each as a folder that stands for its file system.
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { run, runNode } from '../run.mjs';
import { StepFailed } from '../step.mjs';
import { copyInto } from './context.mjs';
import { fillIn, readArg, readCopy, readExecForm, readPairs, readRun, refusal } from './dockerfile.mjs';
import { BUILDER, give, giveTree, IS_ROOT, makeReadOnly, readUser } from './users.mjs';

/** @typedef {import('./dockerfile.mjs').Stage} Stage */
/** @typedef {import('./dockerfile.mjs').Step} Step */
/** @typedef {import('./users.mjs').User} User */
/**
 * @typedef {object} Image a stage as far as it is built
 * @property {string} folder its root
 * @property {string} workdir
 * @property {Map<string, string>} env
 * @property {Map<string, string>} variables `env` and the ARGs
 * @property {User | undefined} user undefined: root
 * @property {string[]} volumes
 * @property {Map<string, User>} owners of folders that are not root's
 * @property {string[]} command
 * @property {string[]} health the command that tells whether it is healthy
 */
/**
 * @typedef {object} Build
 * @property {string} folder for everything that the build writes
 * @property {string} context what .dockerignore let through
 * @property {Map<string, Image>} images by the names of their stages
 * @property {(line: string) => void} tell
 */

const NETWORK = /^(https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_config_registry)$/i;

/**
 * Runs the steps of all stages; returns the last, made as the engine would hand it to its user.
 * @param {readonly Stage[]} stages
 * @param {Build} build
 * @returns {Promise<Image>}
 */
export async function buildStages(stages, build) {
  for (const { name, image: base, steps } of stages) {
    build.tell(`Stage ${name}: an empty folder stands for ${base}`);
    const image = emptyImage(join(build.folder, 'stages', name));
    build.images.set(name, image);
    for (const step of steps) await runStep(step, image, build);
  }
  const image = /** @type {Image} */ ([...build.images.values()].at(-1));
  seal(image);
  return image;
}

/** @param {string} folder @returns {Image} */
function emptyImage(folder) {
  mkdirSync(folder, { recursive: true });
  const owners = /** @type {Map<string, User>} */ (new Map());
  const env = /** @type {Map<string, string>} */ (new Map());
  const variables = new Map(env);
  return { folder, workdir: '/', env, variables, user: undefined, volumes: [], owners, command: [], health: [] };
}

/**
 * @param {Step} step
 * @param {Image} image
 * @param {Build} build
 */
async function runStep({ line, keyword, text }, image, build) {
  if (keyword === 'RUN') await runCommands(line, text, image, build);
  else if (keyword === 'COPY') copy(line, text, image, build);
  else if (keyword === 'WORKDIR') enter(text, image);
  else describe(line, keyword, text, image);
}

/**
 * The instructions that change no file.
 * @param {number} line
 * @param {Step['keyword']} keyword
 * @param {string} text
 * @param {Image} image
 */
function describe(line, keyword, text, image) {
  if (keyword === 'ARG') image.variables.set(...readArg(line, text));
  else if (keyword === 'ENV') setEnv(line, text, image);
  else if (keyword === 'LABEL') readPairs(line, text, image.variables);
  else if (keyword === 'VOLUME') image.volumes.push(...readExecForm(line, text));
  else if (keyword === 'CMD') image.command = readExecForm(line, text);
  else if (keyword === 'HEALTHCHECK') image.health = readExecForm(line, readHealthCommand(line, text));
  else if (keyword === 'USER') image.user = readOwner(line, fillIn(line, text, image.variables));
  else if (keyword === 'STOPSIGNAL' && text !== 'SIGTERM') throw refusal(line, 'only SIGTERM is known as STOPSIGNAL');
  else if (keyword === 'EXPOSE' && !/^\d+$/.test(text)) throw refusal(line, 'EXPOSE is read as one number');
}

/**
 * @param {number} line
 * @param {string} text
 * @param {Image} image
 */
function setEnv(line, text, image) {
  for (const [name, value] of readPairs(line, text, image.variables)) {
    image.env.set(name, value);
    image.variables.set(name, value);
  }
}

/**
 * @param {string} path
 * @param {Image} image
 */
function enter(path, image) {
  image.workdir = posix.resolve(image.workdir, path);
  mkdirSync(inside(image, '.'), { recursive: true });
}

/**
 * @param {number} line
 * @param {string} text
 */
function readOwner(line, text) {
  const user = readUser(text);
  if (user === undefined) throw refusal(line, `users are read as UID:GID, numbers, not ${text}`);
  return user;
}

/**
 * @param {number} line
 * @param {string} text
 */
function readHealthCommand(line, text) {
  const [, command] = /^(?:--[a-z-]+=\d+(?:ms|[smh])?\s+)*CMD (.*)$/.exec(text) ?? [];
  if (command === undefined) throw refusal(line, 'HEALTHCHECK is read as `HEALTHCHECK --option=time … CMD ["…"]`');
  return command;
}

/**
 * Where a path of the container is on this machine.
 * @param {Image} image
 * @param {string} path absolute, or from its working folder
 */
export function inside(image, path) {
  return join(image.folder, posix.resolve(image.workdir, path));
}

/**
 * @param {number} line
 * @param {string} text
 * @param {Image} image
 * @param {Build} build
 */
function copy(line, text, image, build) {
  const { from, owner, sources, target } = readCopy(line, text);
  const other = from === undefined ? undefined : build.images.get(from);
  if (from !== undefined && other === undefined) throw refusal(line, `there is no stage ${from}`);
  const into = target.endsWith('/');
  for (const source of sources) {
    const path = other === undefined ? join(build.context, source) : inside(other, source);
    copyInto(path, inside(image, target), into);
  }
  if (owner !== undefined) image.owners.set(inside(image, target), readOwner(line, owner));
}

/**
 * @param {number} line
 * @param {string} text
 * @param {Image} image
 * @param {Build} build
 */
async function runCommands(line, text, image, build) {
  for (const words of readRun(line, text)) {
    const started = performance.now();
    if (words[0] === 'npm' || words[0] === 'node') await runTool(line, words, image, build);
    else makeFolder(line, words, image);
    build.tell(`  ${words.join(' ')} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  }
}

/**
 * The real npm or `node SCRIPT`, by a user without rights, with a home and a cache of this build alone.
 * @param {number} line
 * @param {string[]} words
 * @param {Image} image
 * @param {Build} build
 */
async function runTool(line, words, image, build) {
  const home = join(build.folder, 'home');
  mkdirSync(home, { recursive: true });
  for (const path of [home, image.folder]) giveTree(path, BUILDER);
  const network = Object.entries(process.env).filter(([name]) => NETWORK.test(name));
  const env = { ...Object.fromEntries(network), ...Object.fromEntries(image.env), PATH: process.env.PATH, HOME: home };
  const options = /** @type {import('../run.mjs').RunOptions} */ ({ ...BUILDER, cwd: inside(image, '.'), env });
  const { status, output } = await startTool(line, words, image, options);
  if (status === 0) return;
  throw new StepFailed(`${output.trimEnd()}\nDockerfile, line ${line}: ${words[0]} ended with ${status}.`);
}

/**
 * @param {number} line
 * @param {string[]} words
 * @param {Image} image
 * @param {import('../run.mjs').RunOptions} options
 */
function startTool(line, [tool, ...args], image, options) {
  if (tool === 'node') {
    const [script, ...rest] = args;
    if (script === undefined || script.startsWith('-')) throw refusal(line, 'node is read as `node SCRIPT …`');
    return runNode([inside(image, script), ...rest], options);
  }
  const own = process.env.npm_execpath;
  const isNpm = own !== undefined && basename(own) === 'npm-cli.js';
  return isNpm ? runNode([own, ...args], options) : run('npm', args, options);
}

/**
 * `install -d -o UID -g GID PATH`, the one further command that is known: root's alone to run, so it is done here.
 * @param {number} line
 * @param {string[]} words
 * @param {Image} image
 */
function makeFolder(line, words, image) {
  const [, uid, gid, path] = /^install -d -o (\d+) -g (\d+) (\/\S+)$/.exec(words.join(' ')) ?? [];
  if (path === undefined)
    throw refusal(line, `RUN knows npm, node SCRIPT and install -d -o UID -g GID /PATH, not ${words.join(' ')}`);
  mkdirSync(inside(image, path), { recursive: true });
  image.owners.set(inside(image, path), readOwner(line, `${uid}:${gid}`));
}

/**
 * Root owns all but what was given away, and only volumes can be written: the image under a read-only root.
 * @param {Image} image
 */
function seal(image) {
  if (IS_ROOT) giveTree(image.folder, { uid: 0, gid: 0 });
  for (const [path, user] of image.owners) give(path, user);
  const volumes = image.volumes.map((path) => inside(image, path));
  for (const path of volumes) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new StepFailed(`VOLUME ${path} is no folder.`);
    chmodSync(path, 0o755);
  }
  makeReadOnly(image.folder, volumes);
}
