/** The console as an HTTP server has it: the page's files, its one stream of events, and who may read them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { realClock } from '../clock.ts';
import type { Clock } from '../signals.ts';
import { Files } from './files.ts';
import { type Access, Guard } from './guard.ts';
import { headerOf, SAFE_HEADERS, sendError, sendJson } from './headers.ts';
import { lastEventOf, Pages } from './pages.ts';
import type { Store } from './store.ts';
import type { Hello, LiveMoment, TelemetryMoment } from './wire.ts';

export interface ConsoleOptions {
  readonly store: Store;
  readonly about: Pick<Hello, 'service' | 'version' | 'environment' | 'mode'>;
  /** Asked for everywhere where it is set; without one only this machine is answered. */
  readonly token?: string | undefined;
  /** Asked while a page is open, for what is not stored. Neither may throw. */
  live?(): LiveMoment;
  telemetry?(): TelemetryMoment;
  /** Folder of the page's files; the package's own unless told. */
  readonly files?: string | undefined;
  readonly clock?: Clock;
}

export interface ConsoleServer {
  /** Whether a path (without query) is the console's: `/console`, and all beneath it. */
  owns(path: string): boolean;
  /** Answers a request for a path that it owns. Never throws, never rejects. */
  answer(path: string, req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Ends every page's stream. Later ones are refused. */
  close(): void;
}

export const BASE = '/console';
const API = `${BASE}/api/`;
/** The most bytes of a login. */
const LOGIN_BYTES = 4096;

interface Door {
  readonly guard: Guard;
  readonly pages: Pages;
  readonly files: Files;
}

export function createConsole(options: ConsoleOptions): ConsoleServer {
  const { clock = realClock, token } = options;
  const door: Door = {
    guard: new Guard({ token, clock }),
    pages: new Pages({ ...options, clock }),
    files: new Files(options.files),
  };
  return {
    owns: isOfConsole,
    async answer(path, req, res) {
      try {
        await route(door, path, req, res);
      } catch {
        // The asker went away, or a file could not be read: a torn answer is told from a whole one.
        res.destroy();
      }
    },
    close: () => door.pages.close(),
  };
}

export function isOfConsole(path: string): boolean {
  return path === BASE || path.startsWith(`${BASE}/`);
}

async function route(door: Door, path: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (!door.guard.mayLoad(req)) return refuse('hidden', res);
  if (path === `${API}login`) return login(door, req, res);
  if (req.method !== 'GET' && req.method !== 'HEAD')
    return sendError(res, 405, 'method_not_allowed', 'Use GET.', { allow: 'GET, HEAD' });
  if (path === `${API}events`) return events(door, req, res);
  if (path === `${API}session`) return session(door, req, res);
  if (path.startsWith(API)) return refuse('hidden', res);
  if (path === BASE) {
    const [, query] = (req.url ?? '').split(/\?(.*)/s);
    const location = `${BASE}/${query === undefined ? '' : `?${query}`}`;
    res.writeHead(307, { ...SAFE_HEADERS, 'cache-control': 'no-store', location }).end();
    return;
  }
  await door.files.answer(path.slice(BASE.length + 1), req, res);
}

type Refusal = Exclude<Access, 'granted'>;

const REFUSALS: Readonly<Record<Refusal, Parameters<typeof sendError> extends [unknown, ...infer R] ? R : never>> = {
  hidden: [404, 'not_found', 'There is nothing at this path.'],
  foreign: [403, 'forbidden', "The console answers its own page alone, not another site's."],
  limited: [429, 'too_many_attempts', 'Too many wrong tokens: wait a minute.', { 'retry-after': '60' }],
  unauthorized: [
    401,
    'unauthorized',
    'The console asks for the token that CONSOLE_TOKEN holds.',
    { 'www-authenticate': 'Bearer' },
  ],
};

function refuse(access: Refusal, res: ServerResponse): void {
  sendError(res, ...REFUSALS[access]);
}

function events({ guard, pages }: Door, req: IncomingMessage, res: ServerResponse): void {
  const access = guard.check(req);
  if (access !== 'granted') refuse(access, res);
  else if (req.method === 'HEAD') sendJson(res, 200, undefined);
  else if (pages.isFull)
    sendError(res, 503, 'too_many_pages', 'As many pages as there may be are open: close one.', { 'retry-after': '5' });
  else pages.open(req, res, lastEventOf(req));
}

/** Tells the page whether it has to ask for the token. */
function session({ guard }: Door, req: IncomingMessage, res: ServerResponse): void {
  const access = guard.check(req);
  if (access === 'granted') sendJson(res, 200, { needsToken: false });
  else if (access === 'unauthorized') sendJson(res, 401, { needsToken: true }, { 'www-authenticate': 'Bearer' });
  else refuse(access, res);
}

async function login({ guard }: Door, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method !== 'POST') return sendError(res, 405, 'method_not_allowed', 'Use POST.', { allow: 'POST' });
  // A form of another site's cannot send this type without asking first.
  if (!/^application\/json *(;|$)/i.test(headerOf(req, 'content-type') ?? ''))
    return sendError(res, 415, 'unsupported_type', 'The token is to be sent as JSON.', closing(req));
  const text = await readBody(req);
  if (text === undefined)
    return sendError(res, 413, 'too_large', `A login has at most ${LOGIN_BYTES} bytes.`, closing(req));
  const token = tokenIn(text);
  if (token === undefined) return sendError(res, 400, 'bad_request', 'The body must be {"token": "…"}.');
  const given = guard.login(req, token);
  if (typeof given === 'object') return sendJson(res, 204, undefined, { 'set-cookie': given.cookie });
  if (given !== 'granted') refuse(given, res);
}

/** The rest of a body that is not read is not waited for. */
function closing({ httpVersionMajor }: IncomingMessage): Readonly<Record<string, string>> {
  return httpVersionMajor < 2 ? { connection: 'close' } : {};
}

/** The whole body; undefined where it is too large. Rejects where it breaks off. */
function readBody(req: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    req.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= LOGIN_BYTES) pieces.push(piece);
      else resolve(undefined);
    });
    req.once('end', () => resolve(Buffer.concat(pieces).toString('utf8')));
    req.once('close', () => reject(new Error('the body broke off')));
  });
}

function tokenIn(text: string): string | undefined {
  try {
    const { token } = JSON.parse(text) as { token?: unknown };
    return typeof token === 'string' ? token : undefined;
  } catch {
    return undefined;
  }
}
