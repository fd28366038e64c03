/** A server that speaks the console's wire to the page, as `wire.ts` says it, and can be made to fail. */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConsoleEventName, ConsoleEvents, Hello } from '../model/wire.ts';
import type { Told } from './sample.ts';

/** What `node scripts/build.mjs` has made. */
export const BUILT: string = fileURLToPath(new URL('../../dist/', import.meta.url));
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

export interface FeederOptions {
  readonly events?: readonly Told[];
  readonly hello?: Partial<Hello>;
  readonly token?: string;
}

export interface Feeder {
  /** The page's address. */
  readonly url: string;
  /** Streams that are open now. */
  readonly streams: number;
  /** `Last-Event-ID` of each stream that was ever asked for. */
  readonly asked: readonly (string | undefined)[];
  send<K extends ConsoleEventName>(name: K, data: ConsoleEvents[K]): void;
  /** Answers the stream's request with this status from now on; 200 serves it again. */
  answer(status: number): void;
  /** Ends all streams. */
  cut(): void;
  /** Another start of the service: nothing of before is held. */
  restart(): void;
  close(): Promise<void>;
}

class Feed {
  instance: string = randomUUID();
  held: { readonly id: number; readonly text: string }[] = [];
  last = 0;
  status = 200;
  readonly asked: (string | undefined)[] = [];
  readonly streams = new Set<ServerResponse>();
  readonly options: FeederOptions;

  constructor(options: FeederOptions) {
    this.options = options;
    for (const [name, data] of options.events ?? []) this.keep(name, data);
  }

  keep(name: string, data: unknown): string {
    this.last += 1;
    const text = `id: ${this.instance}/${this.last}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    this.held.push({ id: this.last, text });
    return text;
  }

  open(request: IncomingMessage, response: ServerResponse): void {
    const cursor = request.headers['last-event-id'];
    this.asked.push(typeof cursor === 'string' ? cursor : undefined);
    if (this.status !== 200) {
      response.writeHead(this.status, { 'content-type': 'application/json' }).end('{}');
      return;
    }
    const [instance, at = '0'] = String(cursor ?? '').split('/');
    const resumed = instance === this.instance;
    const hello: Hello = {
      instance: this.instance,
      service: 'fit-check',
      version: '0.1.0',
      environment: 'development',
      mode: 'embedded',
      now: Date.now(),
      resumed,
      ...this.options.hello,
    };
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(
      `: welcome\n\nid: ${this.instance}/${resumed ? at : 0}\nevent: hello\ndata: ${JSON.stringify(hello)}\n\n`,
    );
    for (const { id, text } of this.held) if (!resumed || id > Number(at)) response.write(text);
    this.streams.add(response);
    response.on('close', () => this.streams.delete(response));
  }
}

export async function startFeeder(options: FeederOptions = {}): Promise<Feeder> {
  const feed = new Feed(options);
  const server = createServer((request, response) => answer(feed, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/console/`,
    get streams() {
      return feed.streams.size;
    },
    asked: feed.asked,
    send(name, data) {
      const text = feed.keep(name, data);
      for (const stream of feed.streams) stream.write(text);
    },
    answer: (status) => {
      feed.status = status;
    },
    cut: () => cut(feed),
    restart() {
      feed.instance = randomUUID();
      feed.held = [];
      feed.last = 0;
      cut(feed);
    },
    close: () => close(server),
  };
}

function cut({ streams }: Feed): void {
  for (const stream of streams) stream.destroy();
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function answer(feed: Feed, request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? '/', 'http://feeder');
  response.setHeader('content-security-policy', POLICY);
  response.setHeader('x-content-type-options', 'nosniff');
  if (pathname === '/console/api/events') {
    if (mayIn(feed, request)) feed.open(request, response);
    else response.writeHead(401, { 'content-type': 'application/json' }).end('{"needsToken":true}');
  } else if (pathname === '/console/api/login' && request.method === 'POST') logIn(feed, request, response);
  else file(pathname.slice('/console/'.length) || 'index.html', response);
}

const cookieOf = (token: string): string => `binnacle_console=${createHash('sha256').update(token).digest('hex')}`;

function mayIn({ options: { token } }: Feed, { headers }: IncomingMessage): boolean {
  return token === undefined || (headers.cookie ?? '').includes(cookieOf(token));
}

function logIn({ options: { token = '' } }: Feed, request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  request.on('data', (piece) => {
    body += piece;
  });
  request.on('end', () => {
    const { token: said } = JSON.parse(body) as { token: string };
    if (said === 'too often') response.writeHead(429, { 'retry-after': '42' }).end();
    else if (said !== token) response.writeHead(401).end();
    else {
      const cookie = `${cookieOf(token)}; HttpOnly; SameSite=Strict; Path=/console`;
      response.writeHead(200, { 'set-cookie': cookie, 'content-type': 'application/json' }).end('{}');
    }
  });
}

function file(name: string, response: ServerResponse): void {
  const path = join(BUILT, normalize(`/${name}`));
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(content);
}
