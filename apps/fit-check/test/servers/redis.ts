/** A real Redis or Valkey on a free loopback port, without persistence, to be stopped, frozen and started again. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../ports.ts';
import { until } from '../until.ts';

export interface RedisServer {
  readonly port: number;
  /** With the password, where it asks for one. */
  readonly url: string;
  /** Ends it at once; what it held is gone. */
  stop(): Promise<void>;
  /** Stops it in its tracks: the port still takes connections, nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

export interface RedisServerOptions {
  readonly requirepass?: string;
}

const NAMES = ['redis-server', 'valkey-server'];

function installed(): string | undefined {
  return NAMES.find((name) => spawnSync(name, ['--version']).status === 0);
}

/** Whether one is installed. */
export function hasRedis(): boolean {
  return installed() !== undefined;
}

/** Said in the name of tests that need it. */
export const WITHOUT_REDIS = 'skipped where it is not installed: apt-get install redis-server';

/** Where servers are required, tests without one fail instead of being skipped. */
export function skipsRedis(): boolean {
  return !hasRedis() && process.env.REQUIRE_SERVERS !== '1';
}

export async function startRedis({ requirepass }: RedisServerOptions = {}): Promise<RedisServer> {
  const command = installed();
  if (command === undefined) throw new Error(`none of ${NAMES.join(', ')} is installed: apt-get install redis-server`);
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', '--appendonly', 'no'];
  if (requirepass !== undefined) args.push('--requirepass', requirepass);
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = spawn(command, args, { stdio: 'ignore' });
    await until('Redis answers', () => answers(port), 30_000);
  };
  const stop = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const closed = new Promise((resolve) => running.once('close', resolve));
    running.kill('SIGKILL');
    await closed;
  };
  await start();
  return {
    port,
    url: `redis://${requirepass === undefined ? '' : `:${encodeURIComponent(requirepass)}@`}127.0.0.1:${port}`,
    stop,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async restart() {
      await stop();
      await start();
    },
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** True once anything is answered, the wish for a password too. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', () => socket.destroy());
    socket.once('error', () => {});
    socket.once('close', () => resolve(socket.bytesRead > 0));
  });
}
