// Reads a Dockerfile, as far as ours goes. What it does not know it refuses: a step that is passed over proves nothing.
import { StepFailed } from '../step.mjs';

/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {string} image what it begins with
 * @property {Step[]} steps in order
 */
/**
 * @typedef {object} Step
 * @property {number} line in the Dockerfile
 * @property {Keyword} keyword
 * @property {string} text all behind the keyword, on one line, variables not yet filled in
 */
/** @typedef {typeof KEYWORDS[number]} Keyword */
/** @typedef {{ from: string | undefined, owner: string | undefined, sources: string[], target: string }} Copy */

const KEYWORDS = /** @type {const} */ ([
  'ARG',
  'CMD',
  'COPY',
  'ENV',
  'EXPOSE',
  'HEALTHCHECK',
  'LABEL',
  'RUN',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
]);

/**
 * The stages, in order.
 * @param {string} text
 * @returns {Stage[]}
 * @throws {StepFailed} for what is not in the subset, with its line
 */
export function readDockerfile(text) {
  /** @type {Map<string, string>} */
  const args = new Map();
  /** @type {Stage[]} */
  const stages = [];
  for (const { line, content } of logicalLines(text)) {
    const [, keyword = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(content) ?? [];
    const stage = stages.at(-1);
    if (keyword === 'FROM') stages.push(readFrom(line, rest, args));
    else if (!isKnown(keyword)) throw refusal(line, `${keyword} is not among ${['FROM', ...KEYWORDS].join(' ')}`);
    else if (stage !== undefined) stage.steps.push({ line, keyword, text: rest });
    else if (keyword === 'ARG') args.set(...readArg(line, rest));
    else throw refusal(line, `${keyword} before the first FROM`);
  }
  if (stages.length === 0) throw new StepFailed('The Dockerfile has no FROM.');
  return stages;
}

/**
 * Lines without comments and with their continuations.
 * @param {string} text
 */
function logicalLines(text) {
  /** @type {{ line: number, content: string }[]} */
  const lines = [];
  let open = false;
  for (const [at, raw] of text.split('\n').entries()) {
    const content = raw.trim();
    if (/^#\s*(syntax|escape|check)\s*=/i.test(content)) throw refusal(at + 1, 'parser directives are not known here');
    if (content === '' || content.startsWith('#')) continue;
    const last = lines.at(-1);
    const part = content.replace(/\s*\\$/, '');
    if (open && last !== undefined) last.content += ` ${part}`;
    else lines.push({ line: at + 1, content: part });
    open = content.endsWith('\\');
  }
  return lines;
}

/**
 * @param {number} line
 * @param {string} text
 * @param {ReadonlyMap<string, string>} args
 * @returns {Stage}
 */
function readFrom(line, text, args) {
  const [, image, name] = /^(\S+) AS ([a-z][a-z0-9-]*)$/.exec(text) ?? [];
  if (image === undefined || name === undefined) throw refusal(line, 'FROM is read as `FROM image AS name`');
  return { name, image: fillIn(line, image, args), steps: [] };
}

/**
 * `NAME=default`; `NAME=` is the empty text.
 * @param {number} line
 * @param {string} text
 * @returns {[name: string, value: string]}
 */
export function readArg(line, text) {
  const [, name, value] = /^([A-Z][A-Z0-9_]*)=(\S*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw refusal(line, 'ARG is read as `ARG NAME=default`');
  return [name, value];
}

/**
 * `NAME=value` pairs of ENV and LABEL, their values bare or in double quotes.
 * @param {number} line
 * @param {string} text
 * @param {ReadonlyMap<string, string>} variables
 * @returns {[name: string, value: string][]}
 */
export function readPairs(line, text, variables) {
  const pair = /([A-Za-z][\w.-]*)=("[^"\\]*"|[^\s"'\\]*)(?:\s+|$)/y;
  /** @type {[string, string][]} */
  const pairs = [];
  while (pair.lastIndex < text.length) {
    const [, name = '', value] = pair.exec(text) ?? [];
    if (value === undefined) throw refusal(line, 'pairs are read as NAME=value or NAME="a value"');
    pairs.push([name, fillIn(line, value.replaceAll('"', ''), variables)]);
  }
  return pairs;
}

/**
 * @param {number} line
 * @param {string} text
 * @returns {Copy}
 */
export function readCopy(line, text) {
  const words = readWords(line, text);
  const flags = words.filter((word) => word.startsWith('--'));
  const paths = words.filter((word) => !word.startsWith('--'));
  const unknown = flags.find((flag) => !/^--(from|chown)=./.test(flag));
  if (unknown !== undefined) throw refusal(line, `COPY ${unknown} is not known`);
  const flag = (/** @type {string} */ name) => flags.find((word) => word.startsWith(name))?.slice(name.length);
  const target = paths.pop();
  if (target === undefined || paths.length === 0) throw refusal(line, 'COPY needs a source and a target');
  if (paths.some((path) => /[*?[]/.test(path))) throw refusal(line, 'COPY with wildcards is not known');
  if (paths.length > 1 && !target.endsWith('/')) throw refusal(line, 'COPY of several sources needs a target with /');
  return { from: flag('--from='), owner: flag('--chown='), sources: paths, target };
}

/**
 * The commands of a RUN, which must be plain words joined by `&&`: no shell is asked.
 * @param {number} line
 * @param {string} text
 * @returns {string[][]}
 */
export function readRun(line, text) {
  return text.split('&&').map((command) => {
    const words = readWords(line, command);
    if (words.length === 0) throw refusal(line, 'an empty command');
    return words;
  });
}

/**
 * @param {number} line
 * @param {string} text
 */
function readWords(line, text) {
  if (/[$`"'\\|&;<>(){}*?[\]~#!]/.test(text)) throw refusal(line, `more than plain words: ${text}`);
  return text.split(/\s+/).filter((word) => word !== '');
}

/**
 * CMD, VOLUME and the like in their exec form.
 * @param {number} line
 * @param {string} text
 * @returns {string[]}
 */
export function readExecForm(line, text) {
  try {
    const words = JSON.parse(text);
    if (Array.isArray(words) && words.length > 0 && words.every((word) => typeof word === 'string')) return words;
  } catch {
    // Falls through: the shell form is no JSON.
  }
  throw refusal(line, `only the exec form is known, ["a", "b"], not ${text}`);
}

/**
 * @param {number} line
 * @param {string} text
 * @param {ReadonlyMap<string, string>} variables
 */
export function fillIn(line, text, variables) {
  const filled = text.replaceAll(/\$\{([A-Z][A-Z0-9_]*)\}/g, (_, name) => {
    const value = variables.get(name);
    if (value === undefined) throw refusal(line, `${name} is not set`);
    return value;
  });
  if (filled.includes('$')) throw refusal(line, `variables are read as \${NAME}: ${text}`);
  return filled;
}

/** @param {string} word @returns {word is Keyword} */
function isKnown(word) {
  return KEYWORDS.some((keyword) => keyword === word);
}

/**
 * @param {number} line
 * @param {string} why
 */
export function refusal(line, why) {
  return new StepFailed(`Dockerfile, line ${line}: ${why}.`);
}
