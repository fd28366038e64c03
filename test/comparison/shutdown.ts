/** What both do at SIGTERM while a stream runs. */
import { get } from 'node:http';
import { until } from '../../apps/fit-check/test/until.ts';
import type { Assembly } from './assembly.ts';

/** Both wait this long at first, since load balancers hear of it late. */
export const DELAY_MS = 1000;
const EVENTS = 35;
/** Events of the stream, a tenth of a second each: within the delay, and well after it. */
const EARLY = 5;
const LATE = 22;

/** A status, or how the connection failed, by a connection of its own. */
function probe(url: string): Promise<string> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      resolve(String(response.statusCode));
    }).once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? 'refused' : String(error.code)),
    );
  });
}

export interface Stopped {
  readonly readiness: string;
  readonly liveness: string;
  readonly work: string;
  /** Whether the stream came to its end, and its span arrived. */
  readonly stream: string;
  readonly span: string;
}

/** Ends a service by SIGTERM in the middle of a stream, and asks it meanwhile. */
export async function stopWithin({ url, receiver, kill, exited }: Assembly): Promise<Stopped> {
  const traceId = 'c0ffee'.padEnd(32, '0');
  const traceparent = `00-${traceId}-${'1'.repeat(16)}-01`;
  const response = await fetch(`${url}/stream?events=${EVENTS}`, { headers: { traceparent } });
  let text = '';
  const read = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
  })().catch(() => {});
  const event = (number: number): Promise<boolean> =>
    until(`event ${number}`, () => text.includes(`data: ${number}\n`));
  await event(0);
  kill('SIGTERM');
  await event(EARLY);
  const early = await Promise.all([probe(`${url}/health/ready`), probe(`${url}/health/live`)]);
  await event(LATE);
  const late = await Promise.all([probe(`${url}/health/ready`), probe(`${url}/health/live`), probe(`${url}/hello`)]);
  await read;
  await exited;
  const both = (at: 0 | 1): string => (early[at] === late[at] ? early[at] : `${early[at]}, then ${late[at]}`);
  const arrived = receiver.spans.some((span) => span.traceId === traceId && span.kind === 2);
  return {
    readiness: both(0),
    liveness: both(1),
    work: late[2],
    stream: text.includes(`data: ${EVENTS - 1}\n`) ? 'to its end' : 'cut',
    span: arrived ? 'arrives' : 'lost',
  };
}

/** The rows, in order: what they say and how it was found out. */
export const STOPPED: Readonly<Record<keyof Stopped, readonly [what: string, how: string]>> = {
  readiness: [
    'SIGTERM within a stream: readiness',
    `Both wait ${DELAY_MS / 1000} s at first. \`/health/ready\` is asked within it, and once more well after it, while the stream runs.`,
  ],
  liveness: ['SIGTERM within a stream: liveness', '`/health/live`, at the same times.'],
  work: ['SIGTERM within a stream: new work', '`GET /hello` on a new connection, after the delay.'],
  stream: ['SIGTERM within a stream: the stream', 'Whether its last event came.'],
  span: ['SIGTERM within a stream: its span', 'Whether it arrived before the process ended.'],
};
