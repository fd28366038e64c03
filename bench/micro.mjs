import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { runScript } from '../scripts/step.mjs';
import { describeMachine, describePackages } from './machine.mjs';
import { measureOperations } from './operations.mjs';
import { prepare } from './prepare.mjs';
import { toOperationTable } from './table.mjs';

/**
 * The micro-benchmarks by themselves; with `--json` for `run.mjs`, which has prepared all and says where the library
 * is that it measures.
 */

await runScript(async () => {
  const forRun = process.argv.includes('--json');
  if (!forRun) await prepare();
  const { BENCH_LIBRARY } = process.env;
  const root = BENCH_LIBRARY ? pathToFileURL(`${BENCH_LIBRARY}/`) : new URL('../', import.meta.url);
  const operations = await measureOperations({
    binnacle: await import(new URL('packages/binnacle/dist/index.js', root).href),
    prom: (await import('prom-client')).default,
    pino: await import('pino'),
  });
  if (forRun) {
    process.stdout.write(JSON.stringify(operations));
    return;
  }
  process.stdout.write(`# Single operations

\`node bench/micro.mjs\`, ${new Date().toISOString().slice(0, 10)}. ${describeMachine(false).split('; ')[0]}. ${describePackages()}.

${toOperationTable(operations)}
`);
});
