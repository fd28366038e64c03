/** `/metrics` and `/health*`: what Prometheus and Kubernetes ask, answered without any framework. */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exchangeOf } from './bound.ts';

/** A health report with the code it is answered with. */
export interface ProbeReport {
  readonly status: string;
}

export interface ProbeSources {
  live(): ProbeReport;
  ready(): ProbeReport;
  report(): ProbeReport;
  /** Content type and body of a scrape for an `Accept` header; undefined while metrics are off. */
  readonly scrape: ((accept: string | undefined) => { contentType: string; body: AsyncIterable<string> }) | undefined;
  /** The bearer that `/metrics` asks for. */
  readonly metricsToken: string | undefined;
  /** The console; absent where there is none. */
  readonly door?: ConsoleDoor | undefined;
}

/** The console, as it stands behind its paths. */
export interface ConsoleDoor {
  owns(path: string): boolean;
  /** Answers a request for a path of its own. Never rejects. */
  answer(path: string, req: IncomingMessage, res: ServerResponse): Promise<void>;
}

export interface Probes {
  /** The paths that are answered. */
  readonly paths: readonly string[];
  /** The route of a path that is answered, the console's too; undefined for all others. */
  routeOf(path: string): string | undefined;
  readonly door: ConsoleDoor | undefined;
  /** Answers a path that has a route; must be called for no other. Never throws. */
  answer(path: string, req: IncomingMessage, res: ServerResponse): Promise<void>;
}

/** The route of all that is the console's. */
const CONSOLE_ROUTE = '/console';

export const PROBE_PATHS: readonly string[] = ['/health', '/health/live', '/health/ready', '/metrics'];

export function createProbes(sources: ProbeSources): Probes {
  const paths = sources.scrape === undefined ? PROBE_PATHS.filter((path) => path !== '/metrics') : PROBE_PATHS;
  const { door } = sources;
  const answer = async (path: string, req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (door?.owns(path)) return door.answer(path, req, res);
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('allow', 'GET, HEAD');
      return sendJson(res, 405, {
        error: { code: 'method_not_allowed', message: 'Use GET.', request_id: exchangeOf(req)?.request.requestId },
      });
    }
    if (path === '/metrics') return scrape(sources, req, res);
    if (path === '/health/live') return sendJson(res, 200, sources.live());
    const report = path === '/health/ready' ? sources.ready() : sources.report();
    const code = sources.ready().status === 'unhealthy' ? 503 : 200;
    return sendJson(res, code, report);
  };
  return {
    paths,
    routeOf: (path) => (paths.includes(path) ? path : door?.owns(path) ? CONSOLE_ROUTE : undefined),
    door,
    async answer(path, req, res) {
      try {
        await answer(path, req, res);
      } catch {
        // The asker went away, or a reader failed half-way: a torn answer is told from a whole one.
        res.destroy();
      }
    },
  };
}

async function scrape(sources: ProbeSources, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (sources.metricsToken !== undefined && !hasBearer(req.headers.authorization, sources.metricsToken)) {
    res.setHeader('www-authenticate', 'Bearer');
    const error = {
      code: 'unauthorized',
      message: 'Metrics ask for the bearer that METRICS_TOKEN holds.',
      request_id: exchangeOf(req)?.request.requestId,
    };
    return sendJson(res, 401, { error });
  }
  const scraped = sources.scrape?.(req.headers.accept);
  if (scraped === undefined)
    return sendJson(res, 404, {
      error: { code: 'not_found', message: 'Metrics are off.', request_id: exchangeOf(req)?.request.requestId },
    });
  res.writeHead(200, { 'content-type': scraped.contentType, 'cache-control': 'no-store' });
  for await (const chunk of scraped.body) {
    if (res.destroyed) return;
    if (req.method !== 'HEAD' && !res.write(chunk)) await room(res);
  }
  res.end();
}

/** Waits until there is room, or nobody to write to. Leaves no listener: a long scrape waits at every piece. */
function room(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (res.destroyed) return resolve();
    const done = (): void => {
      res.off('drain', done);
      res.off('close', done);
      resolve();
    };
    res.on('drain', done);
    res.on('close', done);
  });
}

function hasBearer(header: string | undefined, token: string): boolean {
  const given = Buffer.from(/^Bearer +(.+)$/i.exec(header ?? '')?.[1] ?? '');
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function sendJson(res: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  res.end(text);
}
