#!/usr/bin/env node
/** The command `binnacle`. */
import { run } from './run.ts';

// Who reads the report may leave early (`| head`): that is no error.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  out: process.stdout,
  err: process.stderr,
});
