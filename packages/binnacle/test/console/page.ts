/** A page of the console's as a test has it: its stream of events, read as a browser reads it. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { vi } from 'vitest';
import type { ConsoleEventName, ConsoleEvents } from '../../src/console/wire.ts';

export interface PageEvent {
  readonly id: string;
  readonly name: ConsoleEventName;
  readonly data: unknown;
  /** As it came. */
  readonly text: string;
}

export interface Page {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly response: IncomingMessage;
  /** All that came so far, comments too. */
  text(): string;
  events(): readonly PageEvent[];
  /** What came under a name so far; of lists, their items. */
  told<N extends ConsoleEventName>(name: N): readonly ItemOf<ConsoleEvents[N]>[];
  /** Waits until `look` finds something. */
  until<T>(look: (page: Page) => T | undefined | false): Promise<T>;
  /** Resolves when the stream has ended, however that is. */
  readonly ended: Promise<void>;
  close(): void;
}

type ItemOf<T> = T extends readonly (infer I)[] ? I : T;

/** Opens it; resolves with the answer's head, whatever its code. */
export function openPage(url: string, headers: Readonly<Record<string, string>> = {}, query = ''): Promise<Page> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/console/api/events${query}`, { headers, agent: false }, (response) =>
      resolve(toPage(asked, response)),
    );
    asked.once('error', reject).end();
  });
}

function toPage(asked: ClientRequest, response: IncomingMessage): Page {
  let text = '';
  response.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  response.on('error', () => {});
  asked.on('error', () => {});
  const events = createReader(() => text);
  const page: Page = {
    status: response.statusCode ?? 0,
    headers: response.headers,
    response,
    text: () => text,
    events,
    told: (name) => events().flatMap((event) => (event.name === name ? event.data : [])) as never,
    until: (look) =>
      vi.waitFor(
        () => {
          const found = look(page);
          if (found === undefined || found === false) throw new Error(`not in ${text.slice(-2000)}`);
          return found;
        },
        { timeout: 10_000, interval: 5 },
      ) as never,
    ended: new Promise((resolve) => response.once('close', resolve)),
    close: () => void asked.destroy(),
  };
  return page;
}

/** Reads what is whole, once. */
function createReader(text: () => string): () => readonly PageEvent[] {
  const events: PageEvent[] = [];
  let at = 0;
  return () => {
    for (;;) {
      const end = text().indexOf('\n\n', at);
      if (end < 0) return events;
      const block = text().slice(at, end);
      at = end + 2;
      const fields = new Map(block.split('\n').map((line) => [line.split(': ', 1)[0], line.replace(/^\w+: /, '')]));
      const data = fields.get('data');
      if (data === undefined) continue;
      const name = fields.get('event') as ConsoleEventName;
      events.push({ id: fields.get('id') ?? '', name, data: JSON.parse(data), text: block });
    }
  };
}
