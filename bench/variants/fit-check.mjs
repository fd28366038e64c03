/**
 * The reference service as it is built, started by its own main module. Beside Binnacle stands the same service on a
 * stand-in for it (`../stand-in`), which does what the service needs done and tells nobody.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const { BENCH_LIBRARY, BENCH_STAND_IN } = process.env;
const root = BENCH_LIBRARY || fileURLToPath(new URL('../../', import.meta.url));
const workspace = BENCH_STAND_IN ? join(root, 'stand-in') : root;
const folder = mkdtempSync(join(tmpdir(), 'binnacle-bench-data-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
Object.assign(process.env, { PORT: '0', DATABASE_URL: `file:${join(folder, 'fit-check.db')}` });

// The service tells its port to people alone.
const { listen } = Server.prototype;
Server.prototype.listen = function listenAndTell(...args) {
  this.once('listening', () => process.send?.({ port: this.address().port }));
  return listen.apply(this, args);
};
process.on('message', () => process.kill(process.pid, 'SIGTERM'));
process.on('disconnect', () => process.exit(1));

await import(pathToFileURL(join(workspace, 'apps/fit-check/dist/main.js')).href);
