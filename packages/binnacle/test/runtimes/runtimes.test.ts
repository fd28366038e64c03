/**
 * One request is one trace, and the same one, however the service is built and on whichever Node.js it runs: without
 * `--import`, and with nothing patched.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printTree, type Shape, shapeOf, toTree } from '../../../../apps/fit-check/test/trace-tree.ts';
import type { ReceivedSpan } from '../otlp/receiver.ts';
import { FORMS, type Form, type Forms, writeForms } from './forms.ts';
import { findNode, type NodeBinary } from './nodes.ts';
import { type Run, runOnce } from './run.ts';
import { type Servers, startServers, WITHOUT_SERVERS } from './servers.ts';
import { unordered } from './shape.ts';

const CLIENT = 3;
const TREE: Shape = [
  'POST /ask',
  [
    'phase research',
    ['SELECT items'],
    ['BEGIN runtimes'],
    ['INSERT items'],
    ['COMMIT runtimes'],
    ['cache answers', ['GET 0']],
    ['GET 0'],
    ['GET'],
    ['GET'],
  ],
  ['phase verdict', ['breaker llm', ['chat double-1', ['POST']]]],
];
/** Names of the form's own file, as `LOG_CALLER` tells it. */
const MODULES: Readonly<Record<Form, string>> = {
  ESM: 'service',
  CommonJS: 'service',
  'a bundle to ESM': 'bundle',
  'a bundle to CommonJS': 'bundle',
  tsx: 'service',
};

const nodes = await Promise.all([20, 22, 24, 26].map(findNode));

let servers: Servers;
let forms: Forms;

describe.skipIf(WITHOUT_SERVERS !== undefined)(`the trace of a request${reason(WITHOUT_SERVERS)}`, () => {
  beforeAll(async () => {
    [servers, forms] = await Promise.all([startServers(), writeForms(new URL('fixture.ts', import.meta.url))]);
  });
  afterAll(async () => {
    forms?.remove();
    await servers?.close();
  });

  for (const node of nodes) for (const form of FORMS) describeRun(node, form);
});

function describeRun(node: NodeBinary, form: Form): void {
  const why = skipReason(node, form);
  describe.skipIf(why !== undefined)(
    `on Node.js ${'version' in node ? node.version : node.major}, ${form}${reason(why)}`,
    () => {
      let run: Run;
      let upstreamPath: string;
      let sent: IncomingHttpHeaders | undefined;
      beforeAll(async () => {
        if (!('path' in node)) throw new Error(node.missing);
        upstreamPath = `/${node.major}/${FORMS.indexOf(form)}`;
        const env = { ...servers.env, UPSTREAM_URL: servers.upstream.url + upstreamPath };
        run = await runOnce({ node: node.path, args: forms.argsOf(form), folder: forms.folder, env });
        sent = servers.llm.requests.at(-1)?.headers;
      });

      it('is one tree, with every call where it was made', () => {
        expect([run.status, run.answer, run.exit]).toEqual([200, { text: 'A fit [work:1] [query:1].' }, 0]);
        const tree = toTree(run.spans);
        expect(unordered(shapeOf(tree)), printTree(tree)).toEqual(unordered(TREE));
        expect(new Set(run.spans.map(({ attributes }) => attributes['session.id']))).toEqual(new Set(['runtimes']));
      });

      it('goes on to whom the service asks', () => {
        const headersOf = (path: string) => servers.upstream.headers.get(`${upstreamPath}${path}`);
        const clients = run.spans.filter(
          ({ kind, attributes }) => kind === CLIENT && attributes['url.full'] !== undefined,
        );
        const [byFetch, byHttp, chat] = ['/fetch', '/node-http', '/chat/completions'].map((path) =>
          clients.find(({ attributes }) => String(attributes['url.full']).endsWith(path)),
        );
        expect(headersOf('/fetch')?.map(({ traceparent }) => traceparent)).toEqual([traceparentOf(byFetch)]);
        expect(sent?.traceparent).toBe(traceparentOf(chat));
        // Node.js 20 tells of a request of node:http when its headers have been written.
        const carried = node.major === 20 ? undefined : traceparentOf(byHttp);
        expect(headersOf('/node-http')?.map(({ traceparent }) => traceparent)).toEqual([carried]);
      });

      it('is in the lines of the request, which say where they were written', () => {
        const ofRequest = run.lines.filter(({ session_id }) => session_id === 'runtimes');
        expect(ofRequest.map(({ message }) => message)).toContain('[runtimes] Request completed');
        const ids = new Set(run.spans.map(({ spanId }) => spanId));
        expect(new Set(ofRequest.map(({ trace_id }) => trace_id))).toEqual(new Set([run.spans[0]?.traceId]));
        expect(ofRequest.filter(({ span_id }) => !ids.has(String(span_id)))).toEqual([]);
        const line = ofRequest.find(({ message }) => message === 'Researched');
        expect(line).toMatchObject({ module: MODULES[form], function: 'research' });
      });

      it('costs no warning and no trouble', () => {
        const told = run.lines.filter(({ level }) => level !== 'INFO').map(({ message }) => message);
        expect([told, run.strays.filter((line) => !EXPECTED_STRAY.test(line))]).toEqual([[], []]);
        const hints = run.lines.filter(({ message }) => String(message).includes('node:http'));
        expect(hints).toHaveLength(node.major === 20 ? 1 : 0);
      });
    },
  );
}

/** Node's own word on CommonJS that requires an ES module, in the versions where that is new. */
const EXPECTED_STRAY = /ExperimentalWarning: (?:CommonJS module|Support for loading ES Module)|--trace-warnings/;

function skipReason(node: NodeBinary, form: Form): string | undefined {
  if ('missing' in node) return node.missing;
  return form === 'CommonJS' && !requiresEsm(node.version)
    ? `Node.js ${node.version} does not let CommonJS require an ES module (20.19 and 22.12 do)`
    : undefined;
}

function requiresEsm(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
}

function reason(why: string | undefined): string {
  return why === undefined ? '' : ` (skipped: ${why.replace(/^skipped:? /, '')})`;
}

function traceparentOf(span: ReceivedSpan | undefined): string {
  return `00-${span?.traceId}-${span?.spanId}-01`;
}
