/** A search server that answers in SearXNG's form over a real socket: `GET /search?q=…&format=json`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SearxngDouble {
  readonly url: string;
  /** What it was asked for so far. */
  readonly queries: readonly string[];
  close(): Promise<void>;
}

export async function startSearxng(): Promise<SearxngDouble> {
  const queries: string[] = [];
  const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://searxng');
    const query = searchParams.get('q');
    // SearXNG refuses a form that it is not set to give.
    const status = pathname !== '/search' ? 404 : !query ? 400 : searchParams.get('format') !== 'json' ? 403 : 200;
    if (status === 200) queries.push(query as string);
    const body = status === 200 ? answerOf(query as string) : { error: status };
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    queries,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answerOf(query: string): object {
  const content = `${query} asks for TypeScript, Kubernetes and PostgreSQL, and for observability in production.`;
  const result = (n: number): object => ({
    url: `https://example.com/jobs/${n}`,
    title: `Engineering at ${query}, ${n}`,
    content,
    engine: 'duckduckgo',
    engines: ['duckduckgo'],
    parsed_url: ['https', 'example.com', `/jobs/${n}`, '', '', ''],
    positions: [n],
    score: 1 / n,
    category: 'general',
    publishedDate: null,
  });
  return {
    query,
    number_of_results: 0,
    results: [1, 2, 3].map(result),
    answers: [],
    corrections: [],
    infoboxes: [],
    suggestions: [],
    unresponsive_engines: [],
  };
}
