/**
 * What a statement does, and its text without values, by OpenTelemetry's conventions for databases
 * (https://opentelemetry.io/docs/specs/semconv/db/database-spans/#sanitization-of-dbquerytext).
 */
import { DIALECTS, type SqlSystem, type Token, tokensOf } from './sql-tokens.ts';

/** What may be told of a statement. */
export interface SqlSummary {
  /** Its verb in capitals; `_OTHER` for what is none. */
  readonly operation: string;
  /** The one table that it is about; none where there are several, or a function in its place. */
  readonly collection?: string;
  /** The statement with `?` for each value, without comments; at most 2,000 characters, the last `…` where it is cut. */
  readonly text: string;
}

const MAX_TEXT = 2000;
/** What is read of a statement. Statements are longer than this by their values. */
const MAX_READ = 16_384;
const MAX_CACHED = 500;
const MAX_CACHED_LENGTH = 10_000;

const OTHER = '_OTHER';
const READS_AND_WRITES = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'MERGE']);
const OF_TABLES = new Set(['CREATE', 'ALTER', 'DROP', 'TRUNCATE', 'TABLE']);
const OPERATIONS = new Set([
  ...READS_AND_WRITES,
  ...OF_TABLES,
  ...'WITH VALUES BEGIN START COMMIT END ROLLBACK ABORT SAVEPOINT RELEASE PREPARE EXECUTE DEALLOCATE'.split(' '),
  ...'DECLARE OPEN FETCH MOVE CLOSE LISTEN NOTIFY UNLISTEN LOCK UNLOCK SET RESET SHOW USE EXPLAIN'.split(' '),
  ...'ANALYZE VACUUM REINDEX CLUSTER REFRESH OPTIMIZE COPY CALL DO CHECKPOINT DISCARD LOAD PRAGMA'.split(' '),
  ...'ATTACH DETACH DESCRIBE DESC RENAME COMMENT GRANT REVOKE FLUSH KILL XA'.split(' '),
]);
/** Words between what opens a table's name and the name. */
const BEFORE_NAME = new Set(['ONLY', 'LATERAL', 'IF', 'NOT', 'EXISTS']);
/** Words that end a list of tables. */
const AFTER_TABLES = new Set(
  'WHERE GROUP ORDER LIMIT RETURNING SET VALUES SELECT ON USING HAVING WINDOW UNION DEFAULT FOR OFFSET FETCH'.split(
    ' ',
  ),
);

const caches: Record<SqlSystem, Map<string, SqlSummary>> = {
  postgresql: new Map(),
  sqlite: new Map(),
  mysql: new Map(),
};

/** Tells what a statement does. Never throws, and reads no more than the statement's first 16 kB. */
export function summarize(sql: string, system: SqlSystem = 'postgresql'): SqlSummary {
  if (typeof sql !== 'string') return { operation: OTHER, text: '' };
  if (sql.length > MAX_CACHED_LENGTH) return read(sql, system);
  const cache = caches[system];
  const known = cache.get(sql);
  const summary = known ?? read(sql, system);
  if (known !== undefined) cache.delete(sql);
  else if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value ?? '');
  cache.set(sql, summary);
  return summary;
}

function read(sql: string, system: SqlSystem): SqlSummary {
  const cut = sql.length > MAX_READ;
  const text = createText(system === 'mysql');
  const meaning = createMeaning();
  for (const token of tokensOf(cut ? sql.slice(0, MAX_READ) : sql, DIALECTS[system])) {
    text.add(token);
    meaning.add(token);
  }
  return { ...meaning.end(), text: text.end(cut) };
}

interface Text {
  add(token: Token): void;
  end(cut: boolean): string;
}

/** Puts the text together. A list after IN becomes one `?`, however long it is. */
function createText(splitMinus: boolean): Text {
  let out = '';
  let full = false;
  /** How much of it leaves room for `…`. */
  let fits = 0;
  let space = false;
  /** Where the list begins that nothing but values stand in so far. */
  let list: number | undefined;
  let last: Token | undefined;
  let wasIn = false;
  /** How far it goes up to the first value. */
  let toFirst: number | undefined;
  let open = false;
  const write = (text: string): void => {
    // MySQL's `--` without a blank after it is no comment; it must not become one when blanks are added.
    const apart = space || (splitMinus && text === '-' && out.endsWith('-'));
    const more = apart && out !== '' ? ` ${text}` : text;
    space = false;
    full ||= out.length + more.length > MAX_TEXT;
    if (full) return;
    out += more;
    if (out.length < MAX_TEXT) fits = out.length;
  };
  return {
    add(token) {
      if (token.kind === 'space') {
        space = true;
        return;
      }
      if (list !== undefined && !isListed(token)) {
        // The end of a list that is more than its bracket.
        if (token.text === ')' && last?.text !== '(') {
          out = `${out.slice(0, list)}?`;
          fits = out.length;
          full = false;
          space = false;
        }
        list = undefined;
      }
      write(token.text);
      if (wasIn && token.text === '(' && !full && fits < MAX_TEXT - 1) list = out.length;
      if (token.kind === 'value') toFirst ??= out.length;
      open ||= token.open === true;
      wasIn = token.kind === 'word' && token.text.toUpperCase() === 'IN';
      last = token;
    },
    end(cut) {
      // With quotes that do not match (`'o'brien'`), what stands between two values may be one.
      if (open && !cut) return `${out.slice(0, Math.min(fits, toFirst ?? 0))}…`;
      if (list !== undefined && cut) return `${out.slice(0, list)}?…`;
      return cut || full ? `${out.slice(0, fits)}…` : out;
    },
  };
}

function isListed({ kind, text }: Token): boolean {
  return kind === 'value' || kind === 'parameter' || text === ',' || text === '-';
}

interface Meaning {
  add(token: Token): void;
  end(): { operation: string; collection?: string };
}

/** Finds the verb and the table as the tokens come by. */
function createMeaning(): Meaning {
  let operation: string | undefined;
  const tables = createTables();
  /** Of each open bracket: whether a query stands in it. `FROM` means a table in those alone: not in EXTRACT(). */
  const brackets: (boolean | undefined)[] = [];
  let before = '';
  let started = false;
  const word = (text: string): void => {
    const first = !started || (brackets.length > 0 && brackets.at(-1) === undefined);
    started = true;
    if (brackets.length > 0) brackets[brackets.length - 1] ??= READS_AND_WRITES.has(text) || text === 'WITH';
    const main = operation === 'WITH' && !brackets.includes(true) && READS_AND_WRITES.has(text);
    if (operation === undefined) operation = OPERATIONS.has(text) ? text : OTHER;
    else if (main) operation = text;
    const inQuery = brackets.length === 0 || brackets.at(-1) === true;
    if (inQuery && opens(text, before, operation, first || main)) tables.open(text === 'FROM' || text === 'JOIN');
    else tables.word(text);
    before = text;
  };
  return {
    add(token) {
      if (token.kind === 'space') return;
      if (token.kind === 'word' && !tables.name(token.text)) word(token.text.toUpperCase());
      else if (token.kind === 'name') tables.name(token.text);
      else if (token.kind !== 'word') {
        tables.other(token.text);
        if (token.text === '(') brackets.push(undefined);
        else if (token.text === ')') brackets.pop();
        else if (brackets.length > 0) brackets[brackets.length - 1] ??= false;
      }
    },
    end() {
      const collection = tables.one();
      return { operation: operation ?? OTHER, ...(collection !== undefined && { collection }) };
    },
  };
}

/** True where a table's name comes next. */
function opens(word: string, before: string, operation: string | undefined, first: boolean): boolean {
  if (operation === undefined) return false;
  if (OF_TABLES.has(operation)) return word === 'TABLE' || (word === 'TRUNCATE' && first);
  if (!READS_AND_WRITES.has(operation) && operation !== 'WITH') return false;
  if (word === 'UPDATE') return first;
  return word === 'INTO' || word === 'JOIN' || (word === 'FROM' && before !== 'DISTINCT');
}

interface Tables {
  /** @param read that it is read from: a bracket after its name makes it a function */
  open(read: boolean): void;
  /** Takes a word or a quoted name where a name is expected. */
  name(text: string): boolean;
  word(text: string): void;
  other(text: string): void;
  one(): string | undefined;
}

/** The tables named so far: `expected` a name, within one (`dotted`), or after it, where a comma means another. */
function createTables(): Tables {
  const names = new Set<string>();
  let state: 'none' | 'expected' | 'named' | 'dotted' | 'alias' = 'none';
  let current = '';
  let words = 0;
  let several = false;
  let read = false;
  const settle = (): void => {
    if (state === 'named' || state === 'dotted') names.add(current);
  };
  return {
    open(reads) {
      settle();
      read = reads;
      state = 'expected';
      current = '';
    },
    name(text) {
      if (state !== 'expected' && state !== 'dotted') return false;
      if (BEFORE_NAME.has(text.toUpperCase()) && state === 'expected') return true;
      // `TRUNCATE TABLE t`: the word opens the name once more.
      if (text.toUpperCase() === 'TABLE') return true;
      current += unquoted(text);
      state = 'named';
      words = 0;
      return true;
    },
    word(text) {
      settle();
      words += 1;
      state = (state === 'named' || state === 'alias') && words <= 2 && !AFTER_TABLES.has(text) ? 'alias' : 'none';
    },
    other(text) {
      if (state === 'named' && text === '.') {
        current += '.';
        state = 'dotted';
        return;
      }
      if (text === ',' && (state === 'named' || state === 'alias')) several = true;
      // Not a table: a query in brackets, a parameter, or a function.
      if (state === 'expected' || (state === 'named' && text === '(' && read)) several = true;
      settle();
      state = 'none';
    },
    one() {
      settle();
      const [only] = names;
      return several || names.size !== 1 || only === undefined || only.length > 128 ? undefined : only;
    },
  };
}

function unquoted(text: string): string {
  return /^["`[]/.test(text) ? text.slice(1, -1) : text;
}
