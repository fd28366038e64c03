/** `binnacle console`: a console by itself, until it is ended. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Standalone } from '../console/standalone.ts';
import { isToken, TOKEN_RULE } from './command.ts';
import type { World } from './run.ts';

export interface ConsoleOptions {
  readonly port: number;
  readonly host: string;
  /** `CONSOLE_TOKEN` unless told. */
  readonly token: string | undefined;
  /** Of Binnacle. */
  readonly version: string;
}

const ENDINGS = ['SIGINT', 'SIGTERM'] as const;

/** Gives the exit status: 0 when it was ended, 1 where it could not listen, 2 for wrong usage. */
export async function runConsole(options: ConsoleOptions, world: World): Promise<number> {
  const { port, host, version } = options;
  const token = options.token ?? (world.env.CONSOLE_TOKEN?.trim() || undefined);
  const why = whyNotToken(host, token);
  if (why !== undefined) {
    world.err.write(`binnacle: ${why}\n`);
    return 2;
  }
  // Only this command has a use for it.
  const { createStandalone } = await import('../console/standalone.ts');
  const standalone = createStandalone({ version, token, onGrpc: () => world.err.write(`${GRPC}\n`) });
  try {
    await listen(standalone, port, host);
  } catch (error) {
    world.err.write(`binnacle: ${whyNotListening(error, host, port)}\n`);
    return 1;
  }
  const { port: actual } = standalone.server.address() as AddressInfo;
  // Before anybody is told that it runs, and may end it.
  const end = ended();
  world.out.write(welcome({ ...options, port: actual, token }));
  await end;
  standalone.close();
  return 0;
}

async function listen({ server }: Standalone, port: number, host: string): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

/** A second signal, should the first one not be enough, does what it would do without us. */
function ended(): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      for (const signal of ENDINGS) process.off(signal, end);
      resolve();
    };
    for (const signal of ENDINGS) process.on(signal, end);
  });
}

function whyNotToken(host: string, token: string | undefined): string | undefined {
  if (token !== undefined && !isToken(token)) return `CONSOLE_TOKEN is to be ${TOKEN_RULE}`;
  if (token !== undefined || isLoopback(host)) return undefined;
  return `--host ${host} lets others in, so it asks for a token: --token TOKEN, or CONSOLE_TOKEN, ${TOKEN_RULE}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function whyNotListening(error: unknown, host: string, port: number): string {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is in use, perhaps by a collector or another console: end that, or choose another by --port`;
    case 'EACCES':
      return `this user may not listen on port ${port}: choose one above 1023 by --port`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `this machine has no address ${host}: choose another by --host`;
    default:
      return `cannot listen on port ${port} of ${host} (${code})`;
  }
}

const GRPC =
  'binnacle: somebody sends by gRPC, which is not spoken here: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf there';

function welcome({ host, port, token, version }: ConsoleOptions): string {
  const at = `http://${nameOf(host)}:${port}`;
  const lines = [
    `Binnacle ${version}: the console`,
    '',
    `  look at   ${at}/console${token === undefined ? '' : '   (it asks for the token)'}`,
    `  send to   OTEL_EXPORTER_OTLP_ENDPOINT=${at}`,
    '            OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf   (or http/json)',
    ...(token === undefined ? [] : ['            OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN']),
    '',
    'What it is sent stays in memory. Ctrl+C ends it.',
  ];
  return `${lines.join('\n')}\n`;
}

/** As others may write it who are on this machine; one that stands for all addresses is none that can be gone to. */
function nameOf(host: string): string {
  if (isLoopback(host) && host !== '::1') return host === '127.0.0.1' ? 'localhost' : host;
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
