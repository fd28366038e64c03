/**
 * One POST at a time to an OTLP endpoint, over a connection that is kept.
 *
 * Why not node:http: in a loaded service its request, response and agent cost several times what the export's bytes do;
 * and whoever instruments it would hear of exports.
 */
import type { Answer } from './answer.ts';
import { ExportError } from './cause.ts';
import { Connection } from './connection.ts';
import { createHead } from './request-head.ts';
import { createOpener } from './socket.ts';

export type { Answer } from './answer.ts';

export interface Sender {
  /**
   * Posts a body; `onStatus` is told the status before the answer's body has come. Rejects where there is none, and with
   * `busy` while another is under way.
   */
  post(body: Uint8Array, onStatus: (status: number) => void): Promise<Answer>;
  /** Ends the request under way, and its connection. */
  cut(): void;
  /** Closes every connection. */
  close(): void;
}

/** `headers` by name in lower case. Nothing is connected before the first `post`. `now` in milliseconds. */
export function createSender(
  url: string,
  headers: Readonly<Record<string, string>>,
  now: () => number = () => performance.now(),
): Sender {
  const target = new URL(url);
  const open = createOpener(target, headers.host);
  let head: string | undefined;
  /** Busy, or to be used again. */
  let connection: Connection | undefined;
  let cuts = 0;

  const postBy = async (by: Connection, body: Uint8Array, onStatus: (status: number) => void): Promise<Answer> => {
    connection = by;
    try {
      return await by.exchange(`${head}${body.length}\r\n\r\n`, body, onStatus);
    } finally {
      if (!by.isUsable) {
        by.destroy();
        // It may hold the body.
        if (connection === by) connection = undefined;
      }
    }
  };
  const cut = (): void => {
    cuts += 1;
    connection?.destroy();
  };

  return {
    async post(body, onStatus) {
      if (connection?.isBusy) throw new ExportError('busy');
      head ??= createHead(target, headers);
      const before = cuts;
      const kept = connection;
      if (!kept?.isUsable) kept?.destroy();
      else {
        try {
          return await postBy(kept, body, onStatus);
        } catch (error) {
          // The collector closed the kept connection as it was used again: that is no failure of the collector.
          if (cuts !== before || !isReset(error)) throw error;
        }
      }
      return await postBy(new Connection(open(), now), body, onStatus);
    },
    cut() {
      if (connection?.isBusy) cut();
    },
    close: cut,
  };
}

function isReset(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'EPIPE';
}
