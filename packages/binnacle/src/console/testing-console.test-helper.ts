/** A console on a loopback socket, for tests of this room. */
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openPage, type Page } from '../../test/console/page.ts';
import { type ConsoleOptions, type ConsoleServer, createConsole } from './server.ts';
import { createStore, type Store } from './store.ts';
import type { LogRecord, SpanRecord } from './wire.ts';

export interface TestConsole {
  readonly console: ConsoleServer;
  readonly server: Server;
  readonly store: Store;
  readonly url: string;
  /** Opens a page's stream; waits for nothing. */
  open(headers?: Readonly<Record<string, string>>, query?: string): Promise<Page>;
  ask(path: string, options?: Asked): Promise<Answer>;
  close(): Promise<void>;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly text: string;
}

export const ABOUT = { service: 'svc', version: '1.2.3', environment: 'test', mode: 'embedded' } as const;

export async function startConsole(options: Partial<ConsoleOptions> = {}): Promise<TestConsole> {
  const store = options.store ?? createStore();
  const console = createConsole({ about: ABOUT, ...options, store });
  const server = createServer((req, res) => {
    const path = (req.url ?? '').split('?')[0] as string;
    if (console.owns(path)) void console.answer(path, req, res);
    else res.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const pages: Page[] = [];
  return {
    console,
    server,
    store,
    url: `http://127.0.0.1:${port}`,
    async open(headers, query) {
      const page = await openPage(`http://127.0.0.1:${port}`, headers, query);
      pages.push(page);
      return page;
    },
    ask: (path, asked = {}) => ask(port, path, asked),
    close: () =>
      new Promise((resolve) => {
        for (const page of pages) page.close();
        console.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function ask(port: number, path: string, { method = 'GET', headers = {}, body }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path, method, headers, agent: false }, (res) => {
      const pieces: Buffer[] = [];
      res.on('data', (piece: Buffer) => pieces.push(piece));
      res.once('error', reject);
      res.once('end', () => {
        const whole = Buffer.concat(pieces);
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: whole, text: whole.toString('utf8') });
      });
    });
    asked.once('error', reject).end(body);
  });
}

export function spanOf(name: string, more: Partial<SpanRecord> = {}): SpanRecord {
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    name,
    kind: 'internal',
    start: 1_700_000_000_000,
    duration: 1.5,
    status: 'unset',
    attributes: {},
    service: 'svc',
    ...more,
  };
}

export function lineOf(message: string, more: Partial<LogRecord> = {}): Omit<LogRecord, 'seq'> {
  return { time: 1_700_000_000_000, level: 'INFO', logger: 'svc', message, service: 'svc', fields: {}, ...more };
}
