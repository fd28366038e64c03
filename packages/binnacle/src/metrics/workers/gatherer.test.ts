/** Gatherers and reporters in one process, what they say passed on as between processes. */
import { afterEach, expect, test, vi } from 'vitest';
import { createFaults } from '../../faults.ts';
import { expose } from '../exposition.ts';
import { createRegistry, type Registry, type View } from '../registry.ts';
import { Gatherer, type Link } from './gatherer.ts';
import { Reporter } from './reporter.ts';
import type { Downward, Upward } from './wire.ts';

const open: Gatherer[] = [];
afterEach(() => {
  for (const gatherer of open.splice(0)) gatherer.close();
});

function createGatherer(own?: Registry) {
  const lines: string[] = [];
  const faults = createFaults();
  faults.connect((level, logger, message) => lines.push(`${level} ${logger} ${message}`));
  const gatherer: Gatherer = new Gatherer({
    own,
    faults,
    maxSeries: {},
    view: (exemplars) => gatherer.gather(exemplars),
  });
  open.push(gatherer);
  return { gatherer, lines };
}

const newRegistry = (): Registry => createRegistry({ namespace: '', faults: createFaults() });

interface Wire {
  readonly link: Link;
  readonly reporter: Reporter;
  readonly registry: Registry;
  /** What was sent down. */
  readonly sent: Downward[];
  /** While true nothing is heard, as of a process that is stopped. */
  stopped: boolean;
  go(): void;
}

let wires = 0;
function connect(...gatherers: Gatherer[]): Wire {
  const registry = newRegistry();
  const held: Downward[] = [];
  const pass = <M>(message: M, to: (message: M) => void): void => {
    const text = JSON.stringify(message);
    setImmediate(() => to(JSON.parse(text) as M));
  };
  const link: Link = {
    key: `wire:${++wires}`,
    kind: 'worker',
    send(message) {
      wire.sent.push(message);
      pass(message, (heard) => (wire.stopped ? void held.push(heard) : reporter.hear(heard)));
    },
  };
  const reporter = new Reporter({
    send: (message: Upward) =>
      pass(message, (heard) => {
        for (const one of gatherers) one.hear(link, heard);
      }),
    prepare: (with_) =>
      with_.whole ? registry.read() : Promise.resolve({ families: registry.families(), guests: [] }),
    last: () => ({ families: registry.families(), guests: [] }),
    thread: false,
  });
  const wire: Wire = {
    ...{ link, reporter, registry, sent: [], stopped: false },
    go() {
      wire.stopped = false;
      for (const message of held.splice(0)) reporter.hear(message);
    },
  };
  return wire;
}

async function textOf(view: View | undefined): Promise<string> {
  let text = '';
  for await (const chunk of expose(view?.families ?? [], view?.guests ?? [], 'prometheus')) text += chunk;
  return text;
}

const valueIn = (text: string, series: string) =>
  text.match(new RegExp(`^${series.replace(/[{}]/g, '\\$&')} (.*)$`, 'm'))?.[1];

test('of two gatherers a worker takes one, and is counted once', async () => {
  const [one, other] = [createGatherer().gatherer, createGatherer().gatherer];
  const wire = connect(one, other);
  const jobs = wire.registry.counter({ name: 'jobs_total', help: 'Jobs.' });
  jobs.inc(3);
  wire.reporter.hello();
  await vi.waitFor(() => expect(one.active || other.active).toBe(true));
  jobs.inc(4);
  const texts = await Promise.all([one, other].map(async (gatherer) => textOf(await gatherer.gather(false))));
  expect(texts.map((text) => valueIn(text, 'jobs_total')).sort()).toEqual(['7', undefined]);
});

test('a gatherer that stops is followed by another one, which gets everything from the beginning', async () => {
  const { gatherer } = createGatherer();
  const { gatherer: next } = createGatherer();
  const wires = [connect(gatherer, next), connect(gatherer, next)];
  wires[0]?.registry.counter({ name: 'jobs_total', help: 'Jobs.' }).inc(3);
  wires[1]?.registry.counter({ name: 'jobs_total', help: 'Jobs.' }).inc(4);
  gatherer.hear(wires[0]?.link as Link, { type: 'hello' });
  gatherer.hear(wires[1]?.link as Link, { type: 'hello' });
  await vi.waitFor(async () => expect(valueIn(await textOf(await gatherer.gather(false)), 'jobs_total')).toBe('7'));
  gatherer.close();
  await vi.waitFor(() => expect(wires.every(({ sent }) => sent.at(-1)?.type === 'bye')).toBe(true));
  await new Promise((resolve) => setImmediate(resolve));
  for (const { reporter } of wires) reporter.hear({ type: 'who' });
  await vi.waitFor(async () => expect(valueIn(await textOf(await next.gather(false)), 'jobs_total')).toBe('7'));
});

test('who hangs is asked once, however often is scraped, and is told of once', async () => {
  const own = newRegistry();
  const { gatherer, lines } = createGatherer(own);
  const [well, hung] = [connect(gatherer), connect(gatherer)];
  for (const { registry, reporter } of [well, hung]) {
    registry.counter({ name: 'jobs_total', help: 'Jobs.' }).inc();
    registry.gauge({ name: 'level', help: 'Level.' }).set(5);
    reporter.hello();
  }
  own.counter({ name: 'jobs_total', help: 'Jobs.' }).inc(10);
  await vi.waitFor(async () => {
    const text = await textOf(await gatherer.gather(false));
    expect([valueIn(text, 'jobs_total'), valueIn(text, 'level')]).toEqual(['12', '10']);
  });
  hung.stopped = true;
  await gatherer.gather(false, 50);
  const asked = hung.sent.length;
  for (let i = 0; i < 20; i += 1) {
    const text = await textOf(await gatherer.gather(false, 50));
    expect([valueIn(text, 'jobs_total'), valueIn(text, 'level')]).toEqual(['12', '10']);
  }
  expect(hung.sent.length).toBe(asked);
  expect(lines).toEqual(['WARNING binnacle A worker does not answer; scrapes go on with what it told last']);
  hung.go();
  await vi.waitFor(async () => {
    await gatherer.gather(false);
    expect(lines).toHaveLength(2);
  });
  gatherer.gone(hung.link.key);
  const text = await textOf(await gatherer.gather(false));
  expect([valueIn(text, 'jobs_total'), valueIn(text, 'level')]).toEqual(['12', '5']);
});

test('a worker whose reports make no sense is left out with one line, and the scrape goes on', async () => {
  const { gatherer, lines } = createGatherer();
  const well = connect(gatherer);
  well.registry.counter({ name: 'jobs_total', help: 'Jobs.' }).inc(3);
  well.reporter.hello();
  const link: Link = {
    key: 'mad',
    kind: 'worker',
    send(message) {
      if (message.type === 'welcome') gatherer.hear(link, { type: 'join', gatherer: message.gatherer });
      if (message.type !== 'pull') return;
      const slice = { families: [], series: [], figures: [5, 1], exemplars: [], gone: [] };
      gatherer.hear(link, { type: 'slice', gatherer: message.gatherer, pass: message.pass, done: true, slice });
    },
  };
  gatherer.hear(link, { type: 'hello' });
  await vi.waitFor(async () => {
    expect(valueIn(await textOf(await gatherer.gather(false)), 'jobs_total')).toBe('3');
    expect(lines).toEqual(['WARNING binnacle The report of worker 1 makes no sense; it is left out of the scrape']);
  });
});

test('no more than two workers are asked at once', async () => {
  const { gatherer } = createGatherer();
  const wires = Array.from({ length: 6 }, () => connect(gatherer));
  for (const { registry, reporter } of wires) {
    registry.counter({ name: 'jobs_total', help: 'Jobs.' }).inc();
    reporter.hello();
  }
  await vi.waitFor(async () => expect(valueIn(await textOf(await gatherer.gather(false)), 'jobs_total')).toBe('6'));
  const pulls = (): number =>
    wires.reduce((sum, { sent }) => sum + sent.filter(({ type }) => type === 'pull').length, 0);
  for (const wire of wires) wire.stopped = true;
  await new Promise((resolve) => setImmediate(resolve));
  const before = pulls();
  const gathering = gatherer.gather(false, 60);
  await new Promise((resolve) => setImmediate(resolve));
  expect(pulls() - before).toBeLessThanOrEqual(2);
  await gathering;
});

test('a worker that asks gets the whole in parts, and fails once the gatherer is gone', async () => {
  const { gatherer } = createGatherer();
  const [asker, other] = [connect(gatherer), connect(gatherer)];
  const jobs = other.registry.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['job'], maxSeries: 5000 });
  for (let job = 0; job < 3000; job += 1) jobs.inc({ job }, job);
  for (const { reporter } of [asker, other]) reporter.hello();
  await vi.waitFor(async () => {
    const text = await textOf(await asker.reporter.whole(false));
    expect(valueIn(text, 'jobs_total{job="2999"}')).toBe('2999');
  });
  expect(asker.sent.filter(({ type }) => type === 'part').length).toBeGreaterThan(2);
  gatherer.close();
  await vi.waitFor(() => expect(asker.sent.at(-1)?.type).toBe('bye'));
  await new Promise((resolve) => setImmediate(resolve));
  await expect(asker.reporter.whole(false)).rejects.toThrow('gone');
});
