/** The examples as users run them: each is started, asked, and stopped by a signal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { send, waitFor } from './behaviour/harness.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const EXAMPLES = readdirSync(`${ROOT}examples`).filter((name) => name.endsWith('.ts'));

test('there is one for each adapter', () => {
  const adapters = readdirSync(`${ROOT}packages/binnacle/src/adapters`).filter((name) => /^\w+\.ts$/.test(name));
  expect(EXAMPLES.sort()).toEqual(adapters.sort());
});

/** Lines of code besides the imports; a framework's own wrapping (a closing bracket, a decorator) is not counted. */
function linesOf(name: string): string[] {
  const text = readFileSync(`${ROOT}examples/${name}`, 'utf8');
  return text.split('\n').filter((line) => !/^\s*($|\/\/|import |@|[)}\]]+[,;]?$)/.test(line));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test.each(EXAMPLES)('%s answers, counts its stream, and stops in order', async (name) => {
  expect(linesOf(name).length).toBeLessThanOrEqual(15);
  const port = await freePort();
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(
    process.execPath,
    [`${ROOT}node_modules/tsx/dist/cli.mjs`, '--tsconfig', 'examples/tsconfig.json', `examples/${name}`],
    { cwd: ROOT, env: { PATH, HOME, PORT: String(port), LOG_FORMAT: 'json', ENVIRONMENT: 'test' } },
  );
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => output.push(line));
  const exited = once(child, 'close');
  try {
    const url = `http://127.0.0.1:${port}`;
    await waitFor(async () => expect((await send(`${url}/health/live`)).status).toBe(200)).catch((error: unknown) => {
      throw new Error(`it does not answer:\n${output.join('\n')}`, { cause: error });
    });
    expect(JSON.parse((await send(`${url}/health`)).body)).toMatchObject({ status: 'healthy', service: 'example' });
    const { body } = await send(`${url}/stream/one`, { headers: { 'x-request-id': 'example' } });
    expect(body.match(/^data: \d$/gm)).toEqual(['data: 1', 'data: 2', 'data: 3']);
    expect((await send(`${url}/none`)).status).toBe(404);
    const metrics = (await send(`${url}/metrics`)).body;
    expect(metrics).toContain('http_server_stream_events_total{http_route="/stream/:id"} 3\n');
    expect(metrics).toMatch(/^http_server_request_duration_seconds_count\{.*http_route="__unmatched__".*="404"\} 1$/m);
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    const lines = output.map((line) => JSON.parse(line) as Record<string, unknown>);
    const told = lines.filter(({ request_id }) => request_id === 'example');
    expect(told.map(({ message }) => message)).toEqual(['Streaming', 'Request completed']);
    expect(told[1]).toMatchObject({ route: '/stream/:id', http_status: 200, stream_events: 3, status: 'success' });
    expect(lines.at(-1)?.message).toBe('Shut down');
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  }
});
