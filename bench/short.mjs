import process from 'node:process';
import { runScript, StepFailed, say } from '../scripts/step.mjs';
import { judge, readBudget } from './budget.mjs';
import { cpuMs, waitedMs } from './cpu.mjs';
import { settle, wrongSpans } from './delivered.mjs';
import { describeMachine, pinBench } from './machine.mjs';
import { keepLibrary, prepareLibrary } from './prepare.mjs';
import { startServer } from './server.mjs';
import { openSink } from './sink.mjs';
import { spread } from './statistics.mjs';
import { toMarkdown } from './table.mjs';
import { ALL } from './variants.mjs';
import { connect, REQUESTS } from './workloads.mjs';

/**
 * The bench that CI runs: Binnacle, everything on, beside bare Fastify, by turns. It fails where a request takes more of
 * the processor, or of the heap, than `budget.json` allows beyond the noise. Under 90 s.
 *
 * @typedef {import('./budget.mjs').Cost} Cost
 * @typedef {import('./variants.mjs').Variant} Variant
 */

const ROUNDS = 6;
/** Fewer than this judge nothing. */
const LEAST_ROUNDS = 2;
/** No round begins later, in milliseconds: a machine that is busy has fewer of them. */
const LATEST_ROUND_MS = 50_000;
const WARM_UP = 15_000;
const SLICE = { seconds: 1.5, atLeast: 5000 };
/** Of which the heap's bytes are counted. */
const COUNTED = 4000;

/**
 * @param {Variant} variant
 * @param {{ sink: import('./sink.mjs').Sink, pinned: boolean, library: string }} tools
 * @returns {Promise<Cost>}
 */
async function measure(variant, { sink, pinned, library }) {
  const server = await startServer(variant, { sinkUrl: sink.url, pinned, library, stdout: 'ignore' });
  try {
    const load = await connect(REQUESTS, server.port);
    const warm = await load.run({ requests: WARM_UP });
    await settle(variant, sink, warm.requests);
    const [before, waitedBefore] = [cpuMs(server.pid), waitedMs(server.pid)];
    const { requests, seconds } = await load.run(SLICE);
    const waited = (waitedMs(server.pid) - waitedBefore) / (seconds * 1000);
    const spans = await settle(variant, sink, requests);
    const cpuUs = ((cpuMs(server.pid) - before) * 1000) / requests;
    const wrong = wrongSpans(variant, spans, requests);
    if (wrong.length > 0) throw new StepFailed(`${variant.id} did not deliver what it promises: ${wrong.join('; ')}`);
    await server.ask('count');
    const counted = await load.run({ requests: COUNTED });
    await settle(variant, sink, counted.requests);
    const { bytes } = await server.ask('counted');
    load.close();
    return { cpuUs, bytes: bytes / counted.requests, waited };
  } finally {
    await server.stop();
  }
}

/** @param {string} id */
function variantOf(id) {
  return /** @type {Variant} */ (ALL.find((one) => one.id === id));
}

await runScript(async () => {
  await prepareLibrary();
  const pinned = pinBench();
  const machine = describeMachine(pinned);
  const sink = await openSink();
  const tools = { sink, pinned, library: keepLibrary() };
  const turns = [
    { variant: variantOf('bare'), costs: /** @type {Cost[]} */ ([]) },
    { variant: variantOf('binnacle'), costs: /** @type {Cost[]} */ ([]) },
  ];
  const start = performance.now();
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round >= LEAST_ROUNDS && performance.now() - start > LATEST_ROUND_MS) break;
    for (const { variant, costs } of round % 2 === 0 ? turns : turns.toReversed()) {
      const cost = await measure(variant, tools);
      costs.push(cost);
      say(`round ${round + 1}, ${variant.id}: ${cost.cpuUs.toFixed(1)} µs, ${cost.bytes.toFixed(0)} bytes a request`);
    }
  }
  sink.close();
  const [bare, own] = turns.map(({ costs }) => costs);
  const { short } = readBudget();
  const verdict = judge({ bare: bare ?? [], own: own ?? [] }, short);
  process.stdout.write(`${toMarkdown([
    ['Binnacle, every signal on, to bare Fastify', 'measured', 'budget'],
    ['CPU a request', spread(verdict.cpuRatios), short.cpu],
    ['bytes of the heap a request', spread(verdict.byteRatios), short.bytes],
  ])}

Noise of bare: ${(100 * verdict.noise).toFixed(1)}%; other work had the server's processor for ${(100 * verdict.waited).toFixed(0)}% of its time${verdict.canTell ? '' : ': **too much for CPU to be judged**'}. ${machine}; ${((performance.now() - start) / 1000).toFixed(0)} s.
`);
  if (verdict.problems.length > 0) throw new StepFailed(`Over the budget: ${verdict.problems.join('; ')}`);
});
