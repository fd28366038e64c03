/** A search server in SearXNG's form that answers once it is let. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SearchDouble {
  readonly url: string;
  /** What it answers with. */
  results: readonly object[];
  /** While true, searches wait. */
  held: boolean;
  /** Lets those go on that wait. */
  release(): void;
  close(): Promise<void>;
}

export async function startSearch(): Promise<SearchDouble> {
  let waiting: (() => void)[] = [];
  const server = createServer(async (_req, res) => {
    if (double.held) await new Promise<void>((resolve) => waiting.push(resolve));
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ results: double.results }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const double: SearchDouble = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    results: [
      {
        title: 'Engineering at Acme',
        url: 'https://example.com/acme',
        content: 'TypeScript, Kubernetes, PostgreSQL and Rust.',
      },
    ],
    held: false,
    release() {
      double.held = false;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return double;
}
