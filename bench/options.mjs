import { parseArgs } from 'node:util';
import { ALL } from './variants.mjs';

const HELP = `node bench/run.mjs [--quick] [--rounds N] [--seconds S] [--only a,b] [--out FILE]
variants: ${ALL.map(({ id }) => id).join(', ')}
`;

/** @typedef {{ rounds: number, seconds: number, warmUpSeconds: number, only: string[], out: string | undefined }} Options */

/**
 * Reads the command line. `--quick` takes about a minute; its table is for the one who changes the bench, and is not
 * written to a file unless `--out` says so.
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
  const seconds = Number(values.seconds ?? (values.quick ? 1 : 4));
  const known = ALL.map(({ id }) => id);
  const only = values.only === undefined ? known : values.only.split(',').map((id) => id.trim());
  const unknown = only.filter((id) => !known.includes(id));
  if (unknown.length > 0) return `No such variant: ${unknown.join(', ')}\n${HELP}`;
  if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= 50)) return `--rounds is a number from 1 to 50\n${HELP}`;
  if (!(seconds >= 0.2 && seconds <= 60)) return `--seconds is a number from 0.2 to 60\n${HELP}`;
  return {
    rounds,
    seconds,
    warmUpSeconds: values.quick ? 1 : 1.5,
    // Every ratio is to bare, so bare always runs.
    only: known.filter((id) => id === 'bare' || only.includes(id)),
    out: values.out ?? (values.quick ? undefined : defaultOut),
  };
}
