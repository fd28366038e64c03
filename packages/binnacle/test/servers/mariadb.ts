/** A real MariaDB on a free loopback port, in a folder of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { freePort } from '../../../../apps/fit-check/test/ports.ts';
import { until } from '../../../../apps/fit-check/test/until.ts';

export interface MariadbServer {
  readonly port: number;
  /** An empty one. Its user is `root`, without a password. */
  readonly database: string;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

/** Said in the name of tests that need it. */
export const WITHOUT_MARIADB = 'skipped where it is not installed: apt-get install mariadb-server';

/** Where servers are required, tests without one fail instead of being skipped. */
export function skipsMariadb(): boolean {
  return spawnSync('mariadbd', ['--version']).status !== 0 && process.env.REQUIRE_SERVERS !== '1';
}

export async function startMariadb(): Promise<MariadbServer> {
  const folder = mkdtempSync(join(tmpdir(), 'mariadb-'));
  const data = join(folder, 'data');
  // It refuses to run as root; as another user it must get at its folder.
  chmodSync(folder, 0o755);
  const common = ['--no-defaults', `--datadir=${data}`, ...(process.getuid?.() === 0 ? ['--user=mysql'] : [])];
  const made = spawnSync('mariadb-install-db', [...common, '--auth-root-authentication-method=normal']);
  if (made.status !== 0) throw new Error(`mariadb-install-db failed: ${made.error?.message ?? String(made.stderr)}`);
  const port = await freePort();
  const listening = ['--bind-address=127.0.0.1', `--port=${port}`, `--socket=${join(data, 'socket')}`];
  const child = spawn('mariadbd', [...common, ...listening, '--skip-name-resolve'], { stdio: 'ignore' });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  await until('MariaDB answers', () => createDatabase(port), 30_000);
  return {
    port,
    database: 'fit',
    async close() {
      await stop(child);
      process.off('exit', endWithUs);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function createDatabase(port: number): Promise<boolean> {
  try {
    const connection = await createConnection({ host: '127.0.0.1', port, user: 'root' });
    await connection.query('CREATE DATABASE fit');
    await connection.end();
    return true;
  } catch {
    return false;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await closed;
}
