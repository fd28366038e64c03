/** A scanner asks for 30,000 addresses: it makes no series, and takes no memory. */
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scrape } from './metrics.ts';
import { COLLECTABLE, liveHeap, type Service, startService } from './service.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'MKCOL', 'REPORT', 'SEARCH', 'PURGE'];
const agent = new Agent({ keepAlive: true, maxSockets: 32 });
let service: Service;
beforeAll(async () => {
  service = await startService({ LOG_LEVEL: 'WARNING', ...COLLECTABLE });
});
afterAll(async () => {
  agent.destroy();
  await service.stop();
});

function visit(index: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const path = `/scan/${index}/${Math.random().toString(36)}.php?id=${index}`;
    const headers = { 'x-request-id': `scan-${index}-${Math.random()}` };
    request(
      `${service.url}${path}`,
      { method: METHODS[index % METHODS.length] ?? 'GET', headers, agent },
      (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      },
    )
      .once('error', reject)
      .end();
  });
}

async function scan(from: number, to: number): Promise<Set<number>> {
  const statuses = new Set<number>();
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < to) statuses.add(await visit(next++));
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  return statuses;
}

it('30,000 distinct addresses with random methods and ids', { timeout: 120_000 }, async () => {
  await scan(0, 15_000);
  await scrape(service.url); // A scrape's own series appear with the next one.
  const before = await scrape(service.url);
  const heapBefore = await liveHeap(service);
  const statuses = await scan(15_000, 45_000);
  expect([...statuses]).toEqual([404]);
  const after = await scrape(service.url);
  expect([...after.keys()].filter((name) => !before.has(name))).toEqual([]);
  const unmatched = [...after.keys()].filter(
    (name) => name.startsWith('http_server_request_duration_seconds_count') && name.includes('__unmatched__'),
  );
  expect(unmatched.length).toBeLessThanOrEqual(7);
  expect(unmatched.some((name) => name.includes('http_request_method="_OTHER"'))).toBe(true);
  expect([...after.keys()].some((name) => name.includes('/scan/'))).toBe(false);
  // A record of each address, however small, would be more. What is under way or not yet collected goes, a leak does not.
  let heap = await liveHeap(service);
  for (let again = 0; again < 3; again += 1) heap = Math.min(heap, await liveHeap(service));
  expect((heap - heapBefore) / 30_000).toBeLessThan(64);
});
