import { readdirSync, readFileSync } from 'node:fs';

/** What the operating system says of a process and all its children; every thread is counted. Linux's /proc. */

/** Ticks a second in /proc: 100 on every Linux that Node.js runs on. */
const MS_PER_TICK = 10;

/** @typedef {{ pid: number, parent: number, ticks: number }} Process */

/**
 * CPU time so far, user and system, in milliseconds (to 10 ms).
 * @param {number} pid
 */
export function cpuMs(pid) {
  return MS_PER_TICK * familyOf(pid).reduce((sum, { ticks }) => sum + ticks, 0);
}

/**
 * Memory held, in MiB.
 * @param {number} pid
 */
export function rssMiB(pid) {
  return familyOf(pid).reduce((sum, member) => sum + rssOf(member.pid), 0) / 1024;
}

/** @param {number} pid */
function rssOf(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/**
 * The process and its living descendants; children that have ended count in their parent.
 * @param {number} pid
 * @returns {Process[]}
 */
function familyOf(pid) {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? readProcess(name) : []));
  const family = all.filter((one) => one.pid === pid);
  if (family.length === 0) throw new Error(`process ${pid} is gone`);
  for (const member of family) family.push(...all.filter(({ parent }) => parent === member.pid));
  return family;
}

/**
 * @param {string} name
 * @returns {Process[]}
 */
function readProcess(name) {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
    // The second field is the program's name in brackets, which may itself hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // utime, stime, and those of children waited for: fields 14 to 17 of proc(5).
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return [{ pid: Number(name), parent: Number(fields[1]), ticks }];
  } catch {
    return [];
  }
}
