/** `GET /`: the page, and the files that it loads. All of it is read at the start, and served from memory. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.ts';

/** A place of the service that the page links to. */
export interface PageLink {
  readonly href: string;
  readonly label: string;
}

/** A file as it is served. */
interface Served {
  readonly type: string;
  readonly cacheControl: string;
  readonly plain: Body;
  /** Undefined where it would be no smaller. */
  readonly gzipped: Body | undefined;
}

interface Body {
  readonly bytes: Buffer;
  readonly etag: string;
}

/** Where the build puts the page. */
const FOLDER = new URL('../page/', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/**
 * Nothing but what this service serves, no inline code or style, no frame around it; and no text becomes markup, which
 * browsers with Trusted Types hold too.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Throws where the page was not built. */
export function pageRoute(app: FastifyInstance, { links }: { readonly links: readonly PageLink[] }): void {
  const page = toServed('index.html', withLinks(readFileSync(new URL('index.html', FOLDER), 'utf8'), links));
  const assets = new Map(
    readdirSync(new URL('assets/', FOLDER)).map((name) => [
      name,
      toServed(name, readFileSync(new URL(`assets/${name}`, FOLDER))),
    ]),
  );
  app.get('/', (request, reply) => send(page, request, reply.header('content-security-policy', POLICY)));
  // One route, however many names are tried.
  app.get<{ Params: { name: string } }>('/assets/:name', (request, reply) => {
    const asset = assets.get(request.params.name);
    if (asset === undefined) throw new ServiceError('not_found', 'There is nothing at this path.');
    // Opened by itself, a drawing is a document: it may do nothing.
    return send(asset, request, reply.header('content-security-policy', "default-src 'none'; sandbox"));
  });
}

function withLinks(html: string, links: readonly PageLink[]): string {
  const marker = '<!--links-->';
  if (!html.includes(marker)) throw new Error(`The page has no ${marker}`);
  return html.replace(marker, () =>
    links.map(({ href, label }) => `<a href="${href}">${label}</a>`).join('\n        '),
  );
}

function toServed(name: string, content: string | Buffer): Served {
  const bytes = Buffer.from(content);
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
  const gzipped = gzipSync(bytes, { level: 9 });
  return {
    type: TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
    // A file's name holds its content's hash; the page names the files.
    cacheControl: name === 'index.html' ? 'no-cache' : 'public, max-age=31536000, immutable',
    plain: { bytes, etag: `"${hash}"` },
    gzipped: gzipped.length < bytes.length ? { bytes: gzipped, etag: `"${hash}-gzip"` } : undefined,
  };
}

function send(
  { type, cacheControl, plain, gzipped }: Served,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { 'accept-encoding': accepted, 'if-none-match': known } = request.headers;
  const zips = gzipped !== undefined && takesGzip(accepted);
  const { bytes, etag } = zips ? gzipped : plain;
  const vary = [reply.getHeader('vary'), 'accept-encoding'].filter((name) => name !== undefined);
  reply
    .header('content-type', type)
    .header('cache-control', cacheControl)
    .header('etag', etag)
    .header('vary', vary.join(', '))
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer');
  if (isKnown(known, etag)) return reply.code(304).send();
  if (zips) reply.header('content-encoding', 'gzip');
  return reply.send(bytes);
}

/** RFC 9110, section 12.5.3: `gzip;q=0` is a refusal. */
function takesGzip(header: string | string[] | undefined): boolean {
  return [header].flat().some((text) =>
    (text ?? '').split(',').some((part) => {
      const [coding, ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
      return coding === 'gzip' && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    }),
  );
}

/** RFC 9110, section 13.1.2. */
function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
