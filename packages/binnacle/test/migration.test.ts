/** docs/migration.md, each pair of services run as it is printed, over the real packages. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, test, vi } from 'vitest';

import { until } from '../../../apps/fit-check/test/until.ts';
import { type ReceivedSpan, startOtlpReceiver } from './otlp/receiver.ts';
import { sectionsOf } from './pack/example.ts';
import { quietPort } from './pack/port.ts';
import { createProject, type Project } from './pack/project.ts';
import { type StartedService, startService } from './pack/service.ts';

const SECTIONS = sectionsOf(new URL('../../../docs/migration.md', import.meta.url));
const AUTO = '@opentelemetry/auto-instrumentations-node';
const PACKAGES = [
  ...['fastify@5', 'express@5', 'prom-client@15', 'pino-http@11', '@opentelemetry/api@1.9'],
  `${AUTO}@0.81`,
];

const project = await createProject(PACKAGES);
const missing = 'missing' in project ? project.missing : undefined;
const here = project as Project;
const exported = missing === undefined ? here.exports() : [];
afterAll(() => {
  if (missing === undefined) here.remove();
});

const SERVER = 2;
const CLIENT = 3;
const secret = 'hunter2';

interface Options {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs one of a section's services while `work` asks it. */
async function withService<T>(
  [section, number]: [section: string, number: number],
  { flags = [], env = {} }: Options,
  work: (service: StartedService, url: string) => Promise<T>,
): Promise<T> {
  const code = SECTIONS.get(section)?.[number];
  if (code === undefined || !code.includes('3000')) throw new Error(`${section} has no service ${number} on port 3000`);
  const port = await quietPort();
  const name = `${section.replaceAll(/\W+/g, '-')}-${number}.mjs`;
  const file = here.write(name, code.replaceAll('3000', String(port)));
  const service = startService({
    node: process.execPath,
    flags,
    file,
    folder: here.folder,
    env: { LOG_FORMAT: 'json', ...env },
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    // Any answer will do: not each of them has probes.
    await service.whenItAnswers(`${url}/`);
    return await work(service, url);
  } finally {
    await service.kill();
  }
}

const scrape = async (url: string): Promise<string[]> => (await (await fetch(`${url}/metrics`)).text()).split('\n');

// Services of a hundred packages start slowly where others use the machine too.
vi.setConfig({ testTimeout: 120_000 });

describe.skipIf(missing !== undefined)(`migrating${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  describe('from metrics kept by hand', () => {
    const SECTION = 'From metrics kept by hand with prom-client';
    const askAndScrape = (number: number) =>
      withService([SECTION, number], {}, async (_service, url) => {
        const answer = await fetch(`${url}/orders/book`, { method: 'POST' });
        expect(await answer.json()).toEqual({ taken: true });
        return scrape(url);
      });
    /** Names of a scrape's metrics that begin so. */
    const namesOf = (rows: readonly string[], begin: RegExp): string[] =>
      rows.flatMap((row) => /^# TYPE (\S+)/.exec(row)?.[1] ?? []).filter((name) => begin.test(name));

    test('own metrics stay, and requests are told by the convention', async () => {
      const [before, after] = [await askAndScrape(0), await askAndScrape(1)];
      expect(before).toContain(
        'http_request_duration_seconds_count{method="POST",route="/orders/:kind",status_code="200"} 1',
      );
      const labels =
        '{http_request_method="POST",url_scheme="http",http_route="/orders/:kind",http_response_status_code="200"}';
      expect(after).toContain(`http_server_request_duration_seconds_count${labels} 1`);
      for (const rows of [before, after]) expect(rows).toContain('orders_total{kind="book"} 1');
      // `nodejs_active_requests` has a series only while Node.js itself asks the system for something.
      const gone = namesOf(before, /^(process|nodejs)_(?!active_requests$)/).filter(
        (name) => !after.some((row) => row.startsWith(`# TYPE ${name} `)),
      );
      expect(gone.sort()).toEqual([
        'nodejs_active_handles_total',
        'nodejs_active_requests_total',
        'nodejs_active_resources_total',
      ]);
    });

    test("prom-client's registry may stay beside it", async () => {
      const both = await askAndScrape(2);
      expect(both).toContain('orders_total{kind="book"} 1');
      expect(both.some((row) => row.startsWith('http_server_request_duration_seconds_count{'))).toBe(true);
    });
  });

  const withoutExpress = exported.includes('./express') ? undefined : 'the library has no binnacle/express yet';
  describe.skipIf(withoutExpress !== undefined)(
    `from pino-http${withoutExpress === undefined ? '' : ` (skipped: ${withoutExpress})`}`,
    () => {
      type Line = Readonly<Record<string, unknown>>;
      const linesOf = ({ output }: StartedService): Line[] =>
        output.filter((text) => text.startsWith('{')).map((text) => JSON.parse(text) as Line);
      /** The two lines of a request: the service's own, and the closing one. */
      const askAndRead = (number: number, isAsked: (line: Line) => boolean) =>
        withService(['From pino-http', number], {}, async (service, url) => {
          const headers = { 'x-request-id': 'asked', 'x-session': secret };
          const answer = await fetch(`${url}/items/7?token=${secret}`, { headers });
          expect(await answer.json()).toEqual({ id: '7' });
          return until('both lines', () => {
            const lines = linesOf(service).filter(isAsked);
            return lines.length === 2 ? lines : undefined;
          });
        });

      test('the same is told by other names, and less of what people sent', async () => {
        const ofBefore = await askAndRead(0, ({ req }) => (req as { id?: unknown } | undefined)?.id === 'asked');
        const ofAfter = await askAndRead(1, ({ request_id }) => request_id === 'asked');
        expect(ofBefore).toMatchObject([
          { level: 30, msg: 'Item read', item: '7' },
          { level: 30, msg: 'request completed', req: { method: 'GET' }, res: { statusCode: 200 } },
        ]);
        expect(ofBefore[1]).toHaveProperty('responseTime');
        expect(ofAfter).toMatchObject([
          { level: 'INFO', message: 'Item read', item: '7' },
          {
            level: 'INFO',
            message: 'Request completed',
            method: 'GET',
            route: '/items/:id',
            http_status: 200,
            status: 'success',
          },
        ]);
        for (const field of ['duration_ms', 'first_byte_ms']) expect(ofAfter[1]).toHaveProperty(field);
        const holdsSecret = [ofBefore, ofAfter].map((lines) => JSON.stringify(lines).includes(secret));
        expect(holdsSecret).toEqual([true, false]);
      });
    },
  );

  describe('from auto-instrumentation', () => {
    const SECTION = "From OpenTelemetry's auto-instrumentation";

    async function askAndReceive(number: number, flags: readonly string[]) {
      const headers: IncomingHttpHeaders[] = [];
      const prices = createServer((req, res) => {
        headers.push(req.headers);
        res.setHeader('content-type', 'application/json').end('{"price":12}');
      });
      await new Promise<void>((resolve) => prices.listen(0, '127.0.0.1', resolve));
      const receiver = await startOtlpReceiver();
      const env = {
        PRICES_URL: `http://127.0.0.1:${(prices.address() as AddressInfo).port}`,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_SERVICE_NAME: 'shop',
        OTEL_BSP_SCHEDULE_DELAY: '100',
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
      };
      try {
        return await withService([SECTION, number], { flags, env }, async (_service, url) => {
          const answer = await fetch(`${url}/items/7`);
          expect(await answer.json()).toEqual({ price: 12 });
          const spans = await until('the trace of the request', () => traceOf(receiver.spans));
          return { spans, resource: receiver.resource, sent: headers[0]?.traceparent };
        });
      } finally {
        prices.close();
        await receiver.close();
      }
    }

    /** All spans of the trace that has the service's own span, once its root has come. */
    function traceOf(spans: readonly ReceivedSpan[]): ReceivedSpan[] | undefined {
      const price = spans.find(({ name }) => name === 'price');
      const trace = spans.filter(({ traceId }) => traceId === price?.traceId);
      return trace.some(({ kind }) => kind === SERVER) ? trace : undefined;
    }

    test("the same trace, with no flag: the request, the service's own span, and whom it asked", async () => {
      const before = await askAndReceive(0, ['--import', `${AUTO}/register`]);
      const after = await askAndReceive(1, []);
      for (const { spans, resource, sent } of [before, after]) {
        const [server, price, client] = [
          spans.find(({ kind }) => kind === SERVER),
          spans.find(({ name }) => name === 'price'),
          spans.find(({ kind }) => kind === CLIENT),
        ];
        expect(client?.parentSpanId).toBe(price?.spanId);
        expect(sent).toBe(`00-${client?.traceId}-${client?.spanId}-01`);
        expect(server?.name).toMatch(/^GET/);
        expect(resource['service.name']).toBe('shop');
      }
      const told = after.spans.map(({ name, kind }) => `${kind} ${name}`);
      expect(told.sort()).toEqual(['1 price', `${SERVER} GET /items/:id`, `${CLIENT} GET`]);
      expect(before.spans.find(({ kind }) => kind === SERVER)?.attributes).not.toHaveProperty('http.route');
      const root = after.spans.find(({ kind }) => kind === SERVER);
      expect(after.spans.find(({ name }) => name === 'price')?.parentSpanId).toBe(root?.spanId);
    });
  });
});
