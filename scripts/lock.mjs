import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { say } from './step.mjs';

/** A holder shows that it lives by touching its file; one that has not for this long is gone. */
const STALE_MS = 30_000;
const TOUCH_MS = 5_000;
const POLL_MS = 200;

/**
 * Does `work` while no other process does work under the same lock; waits for its turn. A lock whose holder died is taken.
 * @template T
 * @param {string} path a file that exists while the lock is held
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, work) {
  mkdirSync(dirname(path), { recursive: true });
  for (let polls = 0; !take(path); polls += 1) {
    if (removeStale(path)) continue;
    if (polls === 0) say(`Waiting for another start that holds ${path}`);
    await wait(POLL_MS);
  }
  const touching = setInterval(() => touch(path), TOUCH_MS);
  try {
    return await work();
  } finally {
    clearInterval(touching);
    rmSync(path, { force: true });
  }
}

/** @param {string} path */
function take(path) {
  try {
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname(), since: Date.now() }), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} path */
function touch(path) {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // Removed by hand: whoever did so takes the lock, and this work goes on to its end.
  }
}

/** @param {string} path */
function removeStale(path) {
  const aside = `${path}.stale-${process.pid}`;
  try {
    const seen = readFileSync(path, 'utf8');
    if (Date.now() - statSync(path).mtimeMs < STALE_MS && holderLives(seen)) return false;
    // Of two that see the same dead holder, one gets the file; the other may get a fresh lock, and puts it back.
    renameSync(path, aside);
    if (readFileSync(aside, 'utf8') === seen) rmSync(aside);
    else renameSync(aside, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true;
    throw error;
  }
}

/** @param {string} content */
function holderLives(content) {
  try {
    const { pid, host } = JSON.parse(content);
    if (host !== hostname()) return true;
    if (pid === process.pid) return false;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
