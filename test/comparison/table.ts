/** Runs the comparison, and writes it down: `npm run comparison`. */
import { type Assembly, type Kind, startAssembly } from './assembly.ts';
import { countPackages, ROWS } from './rows.ts';
import { DELAY_MS, STOPPED, type Stopped, stopWithin } from './shutdown.ts';

/** One row as it was found. */
export interface Found {
  readonly what: string;
  readonly how: string;
  readonly usual: string;
  readonly binnacle: string;
}

const KINDS: readonly Kind[] = ['usual', 'binnacle'];

/** Asks one service everything, one question after the other. */
async function askOne(kind: Kind): Promise<string[]> {
  const assembly = await startAssembly(kind);
  const cells: string[] = [];
  try {
    for (const row of ROWS) {
      cells.push(await row.ask(assembly).catch((error: unknown) => fail(row.what, assembly, error)));
    }
  } finally {
    await assembly.stop();
  }
  return cells;
}

function fail(what: string, { kind, output }: Assembly, error: unknown): never {
  throw new Error(`${kind}: ${what}: ${String(error)}\nit said:\n${output.slice(-20).join('\n')}`, { cause: error });
}

async function stopOne(kind: Kind): Promise<Stopped> {
  const assembly = await startAssembly(kind, { SHUTDOWN_DELAY_MS: String(DELAY_MS) });
  try {
    return await stopWithin(assembly);
  } finally {
    await assembly.stop();
  }
}

const both = async <T>(ask: (kind: Kind) => Promise<T>): Promise<[usual: T, binnacle: T]> =>
  (await Promise.all(KINDS.map(ask))) as [T, T];

/** The whole comparison, from two services that run now. */
export async function compare(): Promise<Found[]> {
  const [usual, binnacle] = await both(askOne);
  const [usualStop, ourStop] = await both(stopOne);
  const [usualCount, ourCount] = await both(countPackages);
  const asked = ROWS.map(({ what, how }, at) => ({ what, how, usual: usual[at] ?? '', binnacle: binnacle[at] ?? '' }));
  const stopped = Object.entries(STOPPED).map(([key, [what, how]]) => ({
    ...{ what, how },
    usual: usualStop[key as keyof Stopped],
    binnacle: ourStop[key as keyof Stopped],
  }));
  const installed = {
    what: 'Packages that npm installs beside Fastify',
    how: 'By the lock files, peers included, two versions of one counted twice.',
    usual: usualCount,
    binnacle: ourCount,
  };
  return [...asked, ...stopped, installed];
}

const HEAD = '| | the usual assembly | Binnacle |\n|---|---|---|';
const lineOf = ({ what, usual, binnacle }: Found): string => `| ${what} | ${usual} | ${binnacle} |`;

/** For the first page: where the two differ. */
export function shortTable(found: readonly Found[]): string {
  return [HEAD, ...found.filter(({ usual, binnacle }) => usual !== binnacle).map(lineOf)].join('\n');
}

/** For a page of its own: all rows, and how each was found out. */
export function longTable(found: readonly Found[]): string {
  const how = found.map((row) => `- **${row.what}.** ${row.how}`);
  return [HEAD, ...found.map(lineOf), '', '### How each is found out', '', ...how].join('\n');
}
