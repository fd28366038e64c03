/** The page's files, as the build leaves them: read once, and served from memory. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
// Not by its name: those who bundle to ESM declare that one at the top of what they bundle, as esbuild's users do.
import * as modules from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { headerOf, SAFE_HEADERS, sendError } from './headers.ts';

interface Served {
  readonly type: string;
  readonly cacheControl: string;
  readonly bytes: Buffer;
  /** Undefined where it would be no smaller. */
  readonly gzipped: Buffer | undefined;
  readonly hash: string;
}

const INDEX = 'index.html';
/** By the end of the name; what has another one is no file of the page's: declarations stand beside them. */
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  woff2: 'font/woff2',
  json: 'application/json; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
};

export class Files {
  readonly #folder: string | undefined;
  #files: Promise<ReadonlyMap<string, Served>> | undefined;

  /** `folder` is the package's own unless told. */
  constructor(folder: string | undefined = findFolder()) {
    this.#folder = folder;
  }

  /** Answers with a file by its name below `/console/`, `''` being the page. */
  async answer(name: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    this.#files ??= readAll(this.#folder);
    const files = await this.#files.catch((error: unknown) => {
      this.#files = undefined;
      throw error;
    });
    if (!files.has(INDEX))
      return sendError(res, 503, 'no_page', "The console's page is not there: it comes with the build of binnacle.");
    const file = files.get(name === '' ? INDEX : name);
    if (file === undefined) return sendError(res, 404, 'not_found', 'There is nothing at this path.');
    send(file, req, res);
  }
}

/** Beside the built modules, above them, or where the build of these sources leaves it; else where Node finds the package. */
function findFolder(): string | undefined {
  const near = ['./console/', '../console/', '../../dist/console/'].map((path) => () => {
    return fileURLToPath(new URL(path, import.meta.url));
  });
  const installed = (): string => {
    const resolve = modules.createRequire(join(process.cwd(), 'package.json')).resolve('binnacle');
    return join(dirname(resolve), 'console');
  };
  for (const find of [...near, installed]) {
    try {
      const folder = find();
      if (existsSync(join(folder, INDEX))) return folder;
    } catch {
      // Bundled into a service, this module has no address of its own.
    }
  }
  return undefined;
}

async function readAll(folder: string | undefined): Promise<ReadonlyMap<string, Served>> {
  const files = new Map<string, Served>();
  if (folder === undefined) return files;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.replace(/[\\/]$/, '').length + 1).replaceAll('\\', '/');
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
    if (type !== undefined) files.set(name, await toServed(name, type, await readFile(path)));
  }
  return files;
}

async function toServed(name: string, type: string, bytes: Buffer): Promise<Served> {
  const gzipped = await promisify(gzip)(bytes, { level: 9 });
  return {
    type,
    // A file's name holds its content's hash; the page names the files.
    cacheControl: name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    bytes,
    gzipped: gzipped.length < bytes.length ? gzipped : undefined,
    hash: createHash('sha256').update(bytes).digest('base64url').slice(0, 22),
  };
}

function send({ type, cacheControl, bytes, gzipped, hash }: Served, req: IncomingMessage, res: ServerResponse): void {
  const zips = gzipped !== undefined && takesGzip(headerOf(req, 'accept-encoding'));
  const etag = zips ? `"${hash}-gzip"` : `"${hash}"`;
  const headers = { ...SAFE_HEADERS, 'cache-control': cacheControl, etag, vary: 'accept-encoding' };
  if (isKnown(headerOf(req, 'if-none-match'), etag)) {
    res.writeHead(304, headers).end();
    return;
  }
  const body = zips ? gzipped : bytes;
  res.writeHead(200, {
    ...headers,
    'content-type': type,
    'content-length': body.length,
    ...(zips && { 'content-encoding': 'gzip' }),
  });
  res.end(req.method === 'HEAD' ? undefined : body);
}

/** RFC 9110, section 12.5.3: `gzip;q=0` is a refusal. */
function takesGzip(header = ''): boolean {
  return header.split(',').some((part) => {
    const [coding, ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    return coding === 'gzip' && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}

/** RFC 9110, section 13.1.2. */
function isKnown(header: string | undefined, etag: string): boolean {
  return header?.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag) === true;
}
