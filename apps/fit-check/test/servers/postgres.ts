/** A real PostgreSQL on a free loopback port, in a folder of its own, to be stopped, frozen and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../ports.ts';
import { until } from '../until.ts';
import { findProgram } from './program.ts';

const USER = 'fit';
const PASSWORD = 'fit-secret';
const DEBIAN = '/usr/lib/postgresql';

export interface PostgresServer {
  readonly port: number;
  /** The URL of a database, the server's first one unless told. */
  url(database?: string): string;
  /** Makes an empty database, and gives its URL. */
  createDatabase(name: string): Promise<string>;
  /** Asks it something, by a connection of its own. */
  query<T extends pg.QueryResultRow>(url: string, text: string, values?: readonly unknown[]): Promise<T[]>;
  /** Ends it as `pg_ctl stop -m fast` does. */
  stop(): Promise<void>;
  start(): Promise<void>;
  restart(): Promise<void>;
  /** Stops all of its processes where they are: connections stay open, and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Stops it, and removes its folder. */
  close(): Promise<void>;
}

/** False where it is not installed; throws there when `REQUIRE_SERVERS=1` says that tests must not be skipped. */
export function hasPostgres(): boolean {
  const found = findBinary('postgres') !== undefined && findBinary('initdb') !== undefined;
  if (!found && process.env.REQUIRE_SERVERS === '1')
    throw new Error('PostgreSQL is not installed: apt-get install postgresql');
  return found;
}

/** Why tests over it are skipped, for their names. */
export const WITHOUT_POSTGRES = 'skipped: PostgreSQL is not installed (apt-get install postgresql)';

export async function startPostgres(): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'));
  const data = join(folder, 'data');
  const user = unprivileged();
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, PASSWORD);
  if (user !== undefined) for (const path of [folder, passwordFile]) chownSync(path, user.uid, user.gid);
  const auth = ['-A', 'scram-sha-256', '--pwfile', passwordFile];
  await finish(run('initdb', ['-D', data, '-U', USER, ...auth, '-E', 'UTF8', '--locale=C', '--no-sync'], folder, user));

  const port = await freePort();
  const url = (database = 'postgres'): string => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;
  let child: ChildProcess | undefined;
  let frozen: readonly number[] = [];
  const endWithUs = (): void => void child?.kill('SIGKILL');
  process.once('exit', endWithUs);

  const server: PostgresServer = {
    port,
    url,
    query: (at, text, values) => ask(at, text, values),
    async createDatabase(name) {
      await ask(url(), `CREATE DATABASE ${name}`);
      return url(name);
    },
    async start() {
      const options = {
        port,
        listen_addresses: '127.0.0.1',
        unix_socket_directories: '',
        fsync: 'off',
        synchronous_commit: 'off',
        max_connections: 60,
      };
      const flags = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      child = run('postgres', ['-D', data, ...flags], folder, user);
      await until(
        'PostgreSQL answers',
        () =>
          ask(url(), 'SELECT 1').then(
            () => true,
            () => false,
          ),
        30_000,
      );
    },
    async stop() {
      server.thaw();
      const stopping = child;
      child = undefined;
      if (stopping === undefined || stopping.exitCode !== null) return;
      const ended = new Promise((resolve) => stopping.once('close', resolve));
      stopping.kill('SIGINT');
      await ended;
    },
    async restart() {
      await server.stop();
      await server.start();
    },
    freeze() {
      if (child?.pid === undefined) throw new Error('PostgreSQL does not run');
      // The postmaster first: from then on there are no new processes.
      process.kill(child.pid, 'SIGSTOP');
      frozen = [child.pid, ...childrenOf(child.pid)];
      for (const pid of frozen.slice(1)) signal(pid, 'SIGSTOP');
    },
    thaw() {
      for (const pid of [...frozen].reverse()) signal(pid, 'SIGCONT');
      frozen = [];
    },
    async close() {
      await server.stop();
      process.off('exit', endWithUs);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

async function ask<T extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000, query_timeout: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query<T>(text, [...values])).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

/** PostgreSQL refuses to run as root: another user runs it then. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const entry = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (entry === undefined)
    throw new Error('PostgreSQL does not run as root, and there is no user "postgres" or "nobody"');
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

function run(
  name: string,
  args: readonly string[],
  cwd: string,
  user: { uid: number; gid: number } | undefined,
): ChildProcess {
  const binary = findBinary(name);
  if (binary === undefined) throw new Error(`${name} is not installed: apt-get install postgresql`);
  return spawn(binary, args, { cwd, stdio: 'ignore', env: { PATH: process.env.PATH, LC_ALL: 'C' }, ...user });
}

async function finish(child: ChildProcess): Promise<void> {
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(`${child.spawnfile} ended with ${status}`);
}

/** Debian keeps the server's programs out of PATH, in a folder for each version; the newest is taken. */
function findBinary(name: string): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  return findProgram(
    [name],
    versions.map((version) => join(DEBIAN, version, 'bin')),
  );
}

/** Each of PostgreSQL's processes is a session of its own: they share no group that a signal could be sent to. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => parentOf(pid) === parent)
    .map(Number);
}

function parentOf(pid: string): number | undefined {
  try {
    // The name, in brackets, may hold spaces: what follows the last bracket is the state and the parent.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]);
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}
