/** What a page of the console is told, read from its stream of events as a page reads it. */

import type { ConsoleEventName, ConsoleEvents, LogRecord, MetricSeries, SpanRecord } from '../../src/console/wire.ts';
import { until } from '../until.ts';

export interface PageEvents {
  readonly spans: readonly SpanRecord[];
  readonly logs: readonly LogRecord[];
  /** The last values of each series, by its name and labels. */
  readonly metrics: ReadonlyMap<string, readonly number[]>;
  readonly events: readonly { readonly name: string; readonly data: unknown }[];
  /** All that came, as it was written. */
  readonly text: string;
  /** Waits until it is told so. */
  until(ready: (events: PageEvents) => boolean): Promise<void>;
  close(): void;
}

/** Opens a page's stream at a console's base URL. */
export async function openPage(url: string, headers: Record<string, string> = {}): Promise<PageEvents> {
  const leave = new AbortController();
  const response = await fetch(`${url}/console/api/events`, { headers, signal: leave.signal });
  if (response.status !== 200 || response.body === null)
    throw new Error(`the page's stream answers ${response.status}`);
  const page = new Page(() => leave.abort());
  void page.read(response.body).catch(() => {});
  return page;
}

class Page implements PageEvents {
  readonly spans: SpanRecord[] = [];
  readonly logs: LogRecord[] = [];
  readonly metrics: Map<string, readonly number[]> = new Map();
  readonly events: { name: string; data: unknown }[] = [];
  text = '';
  readonly #names = new Map<number, string>();
  readonly close: () => void;

  constructor(close: () => void) {
    this.close = close;
  }

  async until(ready: (events: PageEvents) => boolean): Promise<void> {
    await until(() => ready(this));
  }

  async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const bytes of body as unknown as AsyncIterable<Uint8Array>) {
      const piece = decoder.decode(bytes, { stream: true });
      this.text += piece;
      rest += piece;
      const blocks = rest.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    const field = (name: string): string =>
      block
        .split('\n')
        .filter((line) => line.startsWith(`${name}: `))
        .map((line) => line.slice(name.length + 2))
        .join('\n');
    const name = field('event');
    if (name === '') return;
    const data: unknown = JSON.parse(field('data'));
    this.events.push({ name, data });
    this.#keep(name as ConsoleEventName, data);
  }

  #keep(name: ConsoleEventName, data: unknown): void {
    if (name === 'spans') this.spans.push(...(data as SpanRecord[]));
    if (name === 'logs') this.logs.push(...(data as LogRecord[]));
    if (name !== 'metrics') return;
    const { series = [], values } = data as ConsoleEvents['metrics'];
    for (const { id, family, labels } of series) this.#names.set(id, nameOf(family, labels));
    for (const [id, ...numbers] of values) this.metrics.set(this.#names.get(id as number) ?? '', numbers);
  }
}

function nameOf(family: string, labels: MetricSeries['labels']): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${family}{${pairs.map(([key, value]) => `${key}="${value}"`).join(',')}}`;
}
