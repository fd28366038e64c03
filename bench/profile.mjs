import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runScript, StepFailed } from '../scripts/step.mjs';
import { pinBench } from './machine.mjs';
import { prepare } from './prepare.mjs';
import { startServer } from './server.mjs';
import { openSink } from './sink.mjs';
import { toMarkdown } from './table.mjs';
import { ALL } from './variants.mjs';
import { connect } from './workloads.mjs';

/** Where a variant's time goes under load, by function and by package, from V8's own sampling. */

const WARM_UP_S = 2;
const SECONDS = 10;
const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** @typedef {{ id: number, children?: number[], callFrame: { functionName: string, url: string, lineNumber: number } }} ProfileNode */
/** @typedef {{ nodes: ProfileNode[], samples: number[], timeDeltas: number[], startTime: number, endTime: number }} Profile */
/** @typedef {{ name: string, owner: string, us: number, wholeUs: number }} Entry time of its own, and with all that it called */

/** @param {string} id */
async function profile(id) {
  const variant = ALL.find((one) => one.id === id);
  if (variant === undefined)
    throw new StepFailed(`No such variant: ${id}; one of ${ALL.map((one) => one.id).join(', ')}`);
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-profile-'));
  const sink = await openSink();
  try {
    const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200'];
    const server = await startServer(variant, { sinkUrl: sink.url, pinned: pinBench(), stdout: 'ignore', nodeArgs });
    const load = await connect(variant.workload, server.port);
    await load.run({ seconds: WARM_UP_S });
    const { requests, seconds } = await load.run({ seconds: SECONDS });
    load.close();
    await server.stop();
    const [file] = readdirSync(folder);
    if (file === undefined) throw new StepFailed('The server wrote no profile.');
    return {
      variant,
      requests,
      seconds,
      profile: /** @type {Profile} */ (JSON.parse(readFileSync(join(folder, file), 'utf8'))),
    };
  } finally {
    sink.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Times by function within the last part of the profile.
 * @param {Profile} profile
 * @param {number} seconds
 * @returns {Entry[]} the most time of its own first
 */
function timesOf({ nodes, samples, timeDeltas, startTime, endTime }, seconds) {
  const stacks = stacksOf(nodes);
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  let at = startTime;
  for (const [index, id] of samples.entries()) {
    const us = timeDeltas[index] ?? 0;
    at += us;
    const stack = stacks.get(id) ?? [];
    if (at < endTime - seconds * 1e6 || stack[0]?.name === '(idle)') continue;
    for (const [depth, { name, owner }] of stack.entries()) {
      const entry = entries.get(name) ?? { name, owner, us: 0, wholeUs: 0 };
      if (depth === 0) entry.us += us;
      entry.wholeUs += us;
      entries.set(name, entry);
    }
  }
  return [...entries.values()].sort((a, b) => b.us - a.us);
}

/** @typedef {{ name: string, owner: string }} Place */

/**
 * The functions of each node's stack, the innermost first, each of them once.
 * @param {ProfileNode[]} nodes a parent before its children
 */
function stacksOf(nodes) {
  /** @type {Map<number, Place[]>} */
  const stacks = new Map();
  /** @type {Map<number, number>} */
  const parents = new Map();
  for (const { id, children = [], callFrame } of nodes) {
    for (const child of children) parents.set(child, id);
    const place = describe(callFrame);
    const above = stacks.get(parents.get(id) ?? -1) ?? [];
    stacks.set(id, [place, ...above.filter(({ name }) => name !== place.name)]);
  }
  return stacks;
}

/** @param {ProfileNode['callFrame']} frame */
function describe({ functionName, url, lineNumber }) {
  const path = url.startsWith('file://') ? fileURLToPath(url) : url;
  const inside = path.startsWith(ROOT) ? path.slice(ROOT.length) : path;
  const name = `${functionName || '(anonymous)'}${inside === '' ? '' : ` ${inside.replace(/^.*node_modules\//, '')}:${lineNumber + 1}`}`;
  return { name, owner: ownerOf(inside, path, lineNumber) };
}

/**
 * @param {string} inside the path within the repository
 * @param {string} path
 * @param {number} line from 0
 */
function ownerOf(inside, path, line) {
  if (inside === '') return "V8 and Node's C++";
  if (inside.startsWith('node:')) return "Node's JavaScript";
  if (inside.startsWith('packages/binnacle/dist/')) return `Binnacle, ${roomAt(path, line)}`;
  return /^.*node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(inside)?.[1] ?? 'the variant';
}

/** @type {Map<string, string[]>} */
const built = new Map();

/**
 * The room of a line of the built library, in which a comment stands before each module.
 * @param {string} path
 * @param {number} line from 0
 */
function roomAt(path, line) {
  const lines = built.get(path) ?? readFileSync(path, 'utf8').split('\n');
  built.set(path, lines);
  const module = lines.slice(0, line + 1).findLast((text) => /^\/\/ \S+\.js$/.test(text));
  return module?.slice(3).split('/').slice(0, -1).join('/') || 'ground';
}

/**
 * @param {Entry[]} entries
 * @param {number} most
 * @param {number} total
 */
function toRows(entries, most, total) {
  const share = (/** @type {number} */ us) => `${((us / total) * 100).toFixed(1)}%`;
  return entries.slice(0, most).map(({ name, us, wholeUs }) => [name, share(us), wholeUs === 0 ? '' : share(wholeUs)]);
}

/** @param {Entry[]} entries */
function byOwner(entries) {
  /** @type {Map<string, Entry>} */
  const owners = new Map();
  for (const { owner, us } of entries) {
    const sum = owners.get(owner) ?? { name: owner, owner, us: 0, wholeUs: 0 };
    sum.us += us;
    owners.set(owner, sum);
  }
  return [...owners.values()].sort((a, b) => b.us - a.us);
}

await runScript(async () => {
  await prepare();
  const { variant, requests, seconds, profile: taken } = await profile(process.argv[2] ?? 'binnacle');
  const entries = timesOf(taken, seconds);
  const total = entries.reduce((sum, { us }) => sum + us, 0);
  const own = entries.filter(({ owner }) => owner.startsWith('Binnacle'));
  const packages = entries.filter(({ owner }) => !/^Binnacle|^V8|^Node's|^the variant/.test(owner));
  const native = entries.filter(({ owner }) => /^V8|^Node's/.test(owner));
  const section = (/** @type {string} */ title, /** @type {Entry[]} */ list, most = 15) =>
    list.length === 0
      ? ''
      : `\n## ${title}\n\n${toMarkdown([['where', 'itself', 'with what it calls'], ...toRows(list, most, total)])}\n`;
  process.stdout.write(`# Profile of ${variant.id}

${requests} requests in ${seconds.toFixed(1)} s, ${(total / requests).toFixed(1)} µs of the main thread a request (the sampler's own cost included).
${section('By owner', byOwner(entries), 25)}${section('Binnacle', own)}
${section(
  'Binnacle, with what it calls',
  own.toSorted((a, b) => b.wholeUs - a.wholeUs),
  25,
)}
${section('Packages', packages)}
${section('Node.js and V8', native)}`);
});
