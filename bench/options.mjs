import { parseArgs } from 'node:util';
import { ALL, bareOf } from './variants.mjs';

/** What is measured besides the variants' load. */
export const PARTS = ['starts', 'operations'];

const HELP = `node bench/run.mjs [--quick] [--rounds N] [--seconds S] [--only a,b] [--out FILE]
variants: ${ALL.map(({ id }) => id).join(', ')}
and: ${PARTS.join(', ')}
`;

/** @typedef {{ rounds: number, seconds: number, pacedSeconds: number, warmUpSeconds: number, only: string[], out: string | undefined }} Options */

/**
 * Reads the command line. `--quick` takes a few minutes; its table is for the one who changes the bench. Neither that nor
 * a table of some variants alone is written to a file unless `--out` says so.
 * @param {string[]} argv
 * @param {string} defaultOut
 * @returns {Options | string} what to do, or what to print instead
 */
export function readOptions(argv, defaultOut) {
  const { values } = parseArgs({
    args: argv,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return HELP;
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
  const seconds = Number(values.seconds ?? (values.quick ? 1 : 5));
  const known = [...ALL.map(({ id }) => id), ...PARTS];
  const only = values.only === undefined ? known : values.only.split(',').map((id) => id.trim());
  const unknown = only.filter((id) => !known.includes(id));
  if (unknown.length > 0) return `No such variant: ${unknown.join(', ')}\n${HELP}`;
  if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= 50)) return `--rounds is a number from 1 to 50\n${HELP}`;
  if (!(seconds >= 0.2 && seconds <= 60)) return `--seconds is a number from 0.2 to 60\n${HELP}`;
  // Every ratio is to bare, so the bare variant of what is asked for always runs.
  const bare = ALL.filter(({ id }) => only.includes(id)).map((variant) => bareOf(variant).id);
  const whole = !values.quick && values.only === undefined;
  return {
    rounds,
    seconds,
    pacedSeconds: Math.min(seconds, 2.5),
    warmUpSeconds: values.quick ? 1 : 1.5,
    only: known.filter((id) => bare.includes(id) || only.includes(id)),
    out: values.out ?? (whole ? defaultOut : undefined),
  };
}
