import { readdirSync, readFileSync } from 'node:fs';

/** What the operating system says of a process and all its children; every thread is counted. Linux's /proc. */

/** Ticks a second in /proc: 100 on every Linux that Node.js runs on. */
const MS_PER_TICK = 10;

/** @typedef {{ pid: number, parent: number, ticks: number, waited: number }} Process ticks of its own, and of children that have ended */

/**
 * CPU time so far, user and system, in milliseconds with fractions (to 10 ms where the kernel tells no better).
 * @param {number} pid
 */
export function cpuMs(pid) {
  return familyOf(pid).reduce((sum, { pid: member, ticks, waited }) => {
    // Both are one account of the scheduler's; in ticks it is cut twice (user, system), and holds threads that have ended.
    const own = Math.max(runMs(member), MS_PER_TICK * (ticks - 1));
    return sum + own + MS_PER_TICK * waited;
  }, 0);
}

/**
 * How long the main thread could have run and did not, in milliseconds: other work had its processor. The second number
 * of its schedstat; 0 where the kernel does not tell.
 * @param {number} pid
 */
export function waitedMs(pid) {
  return threadMs(`/proc/${pid}/schedstat`, 1);
}

/**
 * What the living threads of a process have run, by the first number of each one's schedstat: nanoseconds.
 * @param {number} pid
 */
function runMs(pid) {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce((sum, thread) => sum + threadMs(`/proc/${pid}/task/${thread}/schedstat`), 0);
  } catch {
    return 0;
  }
}

/**
 * @param {string} path
 * @param {number} [field]
 */
function threadMs(path, field = 0) {
  try {
    return Number(readFileSync(path, 'utf8').split(' ')[field]) / 1e6;
  } catch {
    return 0;
  }
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
    const [user = 0, system = 0, waitedUser = 0, waitedSystem = 0] = fields.slice(11, 15).map(Number);
    return [{ pid: Number(name), parent: Number(fields[1]), ticks: user + system, waited: waitedUser + waitedSystem }];
  } catch {
    return [];
  }
}
