// The image's HEALTHCHECK: exit 0 while the service answers /health/live, else 1 with one line that Docker keeps.
// By node itself, as the image has no curl. CONTRACT: with MANAGEMENT_PORT, probes answer only there.
import { get } from 'node:http';

const TIMEOUT_MS = 2_000;
const { HOST, PORT, MANAGEMENT_PORT } = process.env;
// Empty means unset. A service on all addresses answers on the loopback one; else only on the one that it was given.
const everywhere = HOST === '0.0.0.0' || HOST === '::';
const host = everywhere || !HOST ? '127.0.0.1' : HOST;
const port = Number(MANAGEMENT_PORT || PORT || 8000);

/** @param {string} why */
function fail(why) {
  process.stderr.write(`/health/live on ${host}:${port}: ${why}\n`);
  process.exit(1);
}

const timer = setTimeout(() => fail(`no answer within ${TIMEOUT_MS} ms`), TIMEOUT_MS);
get({ host, port, path: '/health/live', agent: false }, ({ statusCode }) => {
  clearTimeout(timer);
  if (statusCode === 200) process.exit(0);
  fail(`status ${statusCode}`);
}).on('error', (error) => fail(error.message));
