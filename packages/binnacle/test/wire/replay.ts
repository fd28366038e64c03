/** Streams in a provider's shape, replayed over a real socket, piece by piece. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** One answer. */
export interface WireAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent one after another, each as a piece of its own. */
  readonly pieces: readonly (string | Uint8Array)[];
  /** Waited for before each piece. */
  readonly before?: (index: number) => unknown;
  /** What happens after the last of them: a proper end, a reset, or nothing. */
  readonly then?: 'end' | 'reset' | 'hold';
}

export interface WireRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Replay {
  readonly url: string;
  /** What is answered next; the last one again and again. */
  answers: readonly WireAnswer[];
  readonly requests: readonly WireRequest[];
  /** When callers went away before the end, by performance.now(). */
  readonly aborts: readonly number[];
  close(): Promise<void>;
}

/** The events of a fixture, each as it stands on the wire, or its one body. Its first line, a comment, tells its source. */
export function readWire(name: string): string[] {
  const text = readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8');
  const [source = '', ...events] = text.split(/(?<=\n\n|\r\n\r\n)/);
  if (!source.startsWith(': source: ')) throw new Error(`${name} does not tell its source`);
  return events.filter((event) => event.trim() !== '');
}

/** The same as an answer. */
export function sse(pieces: readonly (string | Uint8Array)[], then: WireAnswer['then'] = 'end'): WireAnswer {
  return { headers: { 'content-type': 'text/event-stream' }, pieces, then };
}

export async function startReplay(...answers: readonly WireAnswer[]): Promise<Replay> {
  const requests: WireRequest[] = [];
  const aborts: number[] = [];
  const server = createServer(async (req, res) => {
    let text = '';
    for await (const chunk of req.setEncoding('utf8')) text += chunk as string;
    requests.push({ path: req.url ?? '', headers: req.headers, body: JSON.parse(text || '{}') });
    res.once('close', () => {
      if (!res.writableFinished) aborts.push(performance.now());
    });
    const answer = replay.answers[Math.min(requests.length, replay.answers.length) - 1];
    if (answer !== undefined) await say(answer, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const replay: Replay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    requests,
    aborts,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return replay;
}

async function say(answer: WireAnswer, res: ServerResponse): Promise<void> {
  const { status = 200, headers, pieces, before, then = 'end' } = answer;
  res.writeHead(status, headers);
  for (const [index, piece] of pieces.entries()) {
    await before?.(index);
    if (res.destroyed) return;
    res.write(piece);
    // A turn of its own, so that it leaves as a piece.
    await wait(0);
  }
  if (then === 'end') res.end();
  if (then === 'reset') res.destroy();
}
