// Who runs what. With root's rights steps are run by users without any; else everything is run by whoever asked.
import { chmodSync, chownSync, lchownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ uid?: number, gid?: number }} User as `spawn` takes it; empty: whoever runs this */

export const IS_ROOT = process.getuid?.() === 0;

/** Runs the RUN steps: a number that owns nothing on this machine. @type {User} */
export const BUILDER = IS_ROOT ? { uid: 64_999, gid: 64_999 } : {};

/**
 * @param {string} text `UID:GID`, numbers
 * @returns {User | undefined} undefined where it is something else
 */
export function readUser(text) {
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(text) ?? [];
  if (uid === undefined || gid === undefined) return undefined;
  return IS_ROOT ? { uid: Number(uid), gid: Number(gid) } : {};
}

/**
 * Gives a folder with all in it to a user; links themselves, not what they lead to.
 * @param {string} path
 * @param {User} user
 */
export function giveTree(path, { uid, gid }) {
  if (uid === undefined || gid === undefined) return;
  walk(path, (each) => lchownSync(each, uid, gid));
}

/**
 * @param {string} path
 * @param {User} user
 */
export function give(path, { uid, gid }) {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

/**
 * Takes everybody's right to write, below `path` and for itself; `except` and what is in it are left alone.
 * @param {string} path
 * @param {readonly string[]} except
 */
export function makeReadOnly(path, except) {
  walk(path, (each, isLink) => void (isLink || chmodSync(each, lstatSync(each).mode & 0o7555)), except);
}

/** So that the tree can be removed by those who are not root. @param {string} path */
export function makeWritable(path) {
  walk(path, (each, isLink) => void (isLink || chmodSync(each, lstatSync(each).mode | 0o200)));
}

/**
 * Each file and folder, a folder before its content.
 * @param {string} path
 * @param {(path: string, isLink: boolean) => void} visit
 * @param {readonly string[]} [except]
 */
export function walk(path, visit, except = []) {
  if (except.includes(path)) return;
  const stats = lstatSync(path);
  visit(path, stats.isSymbolicLink());
  if (stats.isDirectory()) for (const name of readdirSync(path)) walk(join(path, name), visit, except);
}
