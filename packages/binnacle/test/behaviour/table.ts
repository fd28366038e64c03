/** The table of docs/adapters.md: adapter by behaviour, from the suite's own results. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type RunnerTask, test } from 'vitest';

/** A row, and what its tests' names begin with (each is told by the first row that fits). */
const BEHAVIOURS: readonly (readonly [row: string, ...names: string[]])[] = [
  [
    'Routes are told by their templates, and no path or method makes a series',
    'answers > a route is told',
    'answers > a parameter that cannot be decoded',
    'answers > thousands of distinct',
    'answers > unknown methods',
  ],
  ['What matches no route is `__unmatched__`', 'answers > what matches no route'],
  ['A 5xx is an error by its code, a 4xx is not', 'answers > a 5xx'],
  ['HEAD and 304 send no body', 'answers > bodies > HEAD'],
  ['Bodies are measured both ways', 'answers > bodies'],
  ['Keep-alive and pipelined requests are kept apart', 'answers > a connection', 'endings > a keep-alive agent'],
  ['Streams count to their last byte, with their events and gaps', 'endings > a stream'],
  ['A client that goes away is 499, and cancels the work', 'endings > a client that goes away'],
  ['What the server breaks off after the headers is `stream_error`', 'endings > an answer that the server breaks off'],
  ['A session declares its outcome: error, timeout, cancelled', 'endings > a declared outcome'],
  ['Request ids come in and go out', 'requests > ids'],
  ['Every line has the request in hand', 'requests > lines'],
  ['`user` is asked once the framework knows', 'requests > the user', 'requests > a look-up of the user'],
  ['`TRUST_PROXY` says where `ip` comes from', 'requests > with TRUST_PROXY'],
  ['Traces go on from the caller', 'requests > traces'],
  ['New work is refused while the service drains', 'probes > while the service drains'],
  ['Probes answer, on `MANAGEMENT_PORT` where set', 'probes'],
  ['The console answers, and is no work of the service', 'console'],
  ['Upgrades (WebSocket) are counted apart', 'upgrades'],
  ['Slow clients are told once, and hold nothing up', 'slow clients'],
  ['Shutdown in order: idle connections, idle and busy streams', 'shutdown'],
  ['HTTP/2, in clear text and over TLS beside HTTP/1.1; a reset is 499', 'HTTP/2'],
];

const NOT_THERE = '—';
const PAGE = new URL('../../../../docs/adapters.md', import.meta.url);
/** Names the folder that columns are written to, instead of being compared with the page's (`npm run adapters`). */
const { ADAPTERS_TABLE } = process.env;

type Column = Readonly<Record<string, string>>;

/** Must be the last test of an adapter. It fails where the page does not tell what the tests before it found. */
export function testColumn(adapter: string): void {
  test('are told by docs/adapters.md', ({ task, skip }) => {
    const tests = testsOf(task.suite?.tasks ?? []).filter(({ id }) => id !== task.id);
    // A part of them says nothing of the whole.
    if (tests.some(({ mode }) => mode !== 'run' && mode !== 'queued')) skip();
    const column = columnOf(tests, adapter);
    if (ADAPTERS_TABLE === undefined)
      expect(readColumn(readFileSync(PAGE, 'utf8'), adapter), 'npm run adapters writes it').toEqual(column);
    else
      writeFileSync(join(ADAPTERS_TABLE, `${encodeURIComponent(adapter)}.json`), JSON.stringify({ adapter, column }));
  });
}

function testsOf(tasks: readonly RunnerTask[]): RunnerTask[] {
  return tasks.flatMap((task) => (task.type === 'suite' ? testsOf(task.tasks) : [task]));
}

function columnOf(tests: readonly RunnerTask[], adapter: string): Column {
  const cells = new Map(BEHAVIOURS.map(([row]) => [row, { passed: 0, all: 0 }]));
  for (const task of tests) {
    const name = nameOf(task).slice(`${adapter} > `.length);
    const row = BEHAVIOURS.find(([, ...beginnings]) => beginnings.some((beginning) => name.startsWith(beginning)));
    const cell = row && cells.get(row[0]);
    if (cell === undefined) throw new Error(`no row of the table tells of ${JSON.stringify(name)}`);
    cell.all += 1;
    if (task.result?.state === 'pass') cell.passed += 1;
  }
  return Object.fromEntries([...cells].map(([row, { passed, all }]) => [row, cellOf(passed, all)]));
}

function cellOf(passed: number, all: number): string {
  if (all === 0) return NOT_THERE;
  return passed === all ? `✓ ${all}` : `✗ ${passed}/${all}`;
}

function nameOf(task: RunnerTask): string {
  return task.suite === undefined || task.suite.name === '' ? task.name : `${nameOf(task.suite)} > ${task.name}`;
}

/** The column of an adapter in the page's table of behaviours. */
function readColumn(page: string, adapter: string): Column {
  const table = /<!-- table: .*?-->([\s\S]*?)<!-- \/table -->/.exec(page)?.[1] ?? '';
  const [head, , ...rows] = table
    .trim()
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const at = head?.indexOf(adapter) ?? -1;
  return at < 0 ? {} : Object.fromEntries(rows.map((cells) => [cells[0], cells[at]]));
}
