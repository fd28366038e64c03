import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { packLibrary } from '../scripts/pack.mjs';
import { ROOT } from '../scripts/root.mjs';
import { runScript } from '../scripts/step.mjs';
import { leastRatio, measureImports } from './imports.mjs';
import { bytesOf, packagesOf } from './installed.mjs';
import { prepare } from './prepare.mjs';
import { spread } from './statistics.mjs';
import { toMarkdown } from './table.mjs';

/** What a user installs, and what importing it costs: `npm run size` writes `size.md`. */

const ROUNDS = 15;
const BENCH = fileURLToPath(new URL('.', import.meta.url));
const OUT = fileURLToPath(new URL('size.md', import.meta.url));

/** @typedef {{ id: string, name: string, cwd: string, installed: readonly string[], imported: readonly string[] }} Stack */

/** @type {readonly Stack[]} */
const STACKS = [
  {
    id: 'binnacle',
    name: '**Binnacle**',
    cwd: ROOT,
    installed: ['packages/binnacle'],
    imported: ['binnacle'],
  },
  {
    id: 'least',
    name: 'its parts, the least of them: `prom-client`, `pino`, `@opentelemetry/sdk-trace`, `exporter-trace-otlp-proto`',
    cwd: ROOT,
    installed: ['prom-client', 'pino', '@opentelemetry/sdk-trace', '@opentelemetry/exporter-trace-otlp-proto'],
    imported: ['prom-client', 'pino', '@opentelemetry/sdk-trace', '@opentelemetry/exporter-trace-otlp-proto'],
  },
  {
    id: 'parts',
    name: 'the same with `@opentelemetry/sdk-trace-node`, which most services name',
    cwd: ROOT,
    installed: ['prom-client', 'pino', '@opentelemetry/sdk-trace-node', '@opentelemetry/exporter-trace-otlp-proto'],
    imported: ['prom-client', 'pino', '@opentelemetry/sdk-trace-node', '@opentelemetry/exporter-trace-otlp-proto'],
  },
  {
    id: 'sdk-node',
    name: '`prom-client`, `pino`, `@opentelemetry/sdk-node`',
    cwd: BENCH,
    installed: ['prom-client', 'pino', '@opentelemetry/sdk-node'],
    imported: ['prom-client', 'pino', '@opentelemetry/sdk-node'],
  },
  {
    id: 'usual',
    name: 'the usual stack: `fastify-metrics`, `pino`, `@opentelemetry/auto-instrumentations-node`, `sdk-node`',
    cwd: BENCH,
    installed: ['fastify-metrics', 'pino', '@opentelemetry/auto-instrumentations-node', '@opentelemetry/sdk-node'],
    imported: ['fastify-metrics', 'pino', '@opentelemetry/auto-instrumentations-node', '@opentelemetry/sdk-node'],
  },
];

/**
 * Packages of a stack and their bytes; Binnacle's own are those of its tarball. The framework is the service's.
 * @param {Stack} stack
 */
async function weigh({ cwd, installed }) {
  const packages = packagesOf(cwd, installed, ['fastify']);
  let bytes = 0;
  for (const one of packages) {
    if (one.path !== 'packages/binnacle') bytes += bytesOf(cwd, one);
    else {
      const packed = await packLibrary();
      bytes += packed.unpackedSize;
      packed.remove();
    }
  }
  return { packages: packages.length, bytes };
}

async function main() {
  await prepare();
  const weights = [];
  for (const stack of STACKS) weights.push(await weigh(stack));
  const costs = await measureImports(
    STACKS.map(({ id, imported, cwd }) => ({ id, modules: imported, cwd })),
    ROUNDS,
  );
  const rows = STACKS.map(({ id, name }, at) => {
    const of = costs.get(id) ?? [];
    const base = costs.get('binnacle') ?? [];
    return [
      name,
      String(weights[at]?.packages),
      ((weights[at]?.bytes ?? 0) / 2 ** 20).toFixed(1),
      Math.min(...of.map(({ wallMs }) => wallMs)).toFixed(0),
      Math.min(...of.map(({ cpuMs }) => cpuMs)).toFixed(0),
      leastRatio(costs, 'binnacle', id).toFixed(2),
      spread(of.map(({ wallMs }, round) => (base[round]?.wallMs ?? Number.NaN) / wallMs)),
    ];
  });
  const head = [
    'what is installed',
    'packages',
    'MiB',
    'import ms',
    'of it CPU ms',
    "Binnacle's to it",
    'round by round',
  ];
  const report = `# What a user installs

\`npm run size\`, ${new Date().toISOString().slice(0, 10)}

${toMarkdown([head, ...rows])}

- Packages: all that npm installs by the lock files, peers included, two versions of one counted twice, the framework left out. MiB: their files as installed; Binnacle's own as packed.
- Import: the least of ${ROUNDS} new processes, by turns, without the start of Node.js. Ratios: least to least, then the median of the rounds (least to greatest).
- OpenTelemetry's packages name each other by exact version: what is of two releases is installed, and loaded, twice. \`sdk-trace\` and the exporter above are of one release, \`sdk-trace-node\` is not.
- Binnacle loads what serialises OTLP when the first spans leave. The SDK's tracer and samplers, its resource and pino are loaded with it: \`observe()\` is synchronous, and a static import cannot wait.
- Machine: ${cpus().length} processors, ${process.platform} ${process.arch}, Node.js ${process.versions.node}.
`;
  process.stdout.write(report);
  writeFileSync(OUT, report);
}

await runScript(main);
