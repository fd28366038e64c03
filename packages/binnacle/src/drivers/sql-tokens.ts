/** Statements cut into tokens, with every value taken out. One pass; nothing of it backtracks. */

/** How a database writes what it is told: what opens a value in one is a name, or a comment, in another. */
export interface Dialect {
  /** What a token starts with; sticky. */
  readonly pattern: RegExp;
  /** `\'` is a quote within a string. */
  readonly backslash: boolean;
  /** `"` opens a string. Elsewhere it is a name. */
  readonly doubleQuoted: 'name' | 'value' | 'either';
  readonly nestedComments: boolean;
}

/** `value` has been replaced by `?`; `name` is a quoted one, with its quotes; `mark` is one character of punctuation. */
export interface Token {
  readonly kind: 'space' | 'word' | 'name' | 'value' | 'parameter' | 'mark';
  readonly text: string;
  /** It never ends: the quotes of the statement do not match. */
  readonly open?: boolean;
}

const SPACE = String.raw`[ \t\n\r\f\v]+`;
const WORD = String.raw`[A-Za-z_\x80-\uffff][\w$\x80-\uffff]*`;
const NUMBER = String.raw`\d(?:[eE][+-]\d|[\w.])*`;
const COMMENT = String.raw`--[^\n\r]*`;
const DOLLAR_TAG = String.raw`\$(?:[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?\$`;
const PARAMETER = String.raw`\$\d+`;

const of = (...parts: string[]): RegExp => new RegExp([...parts, '[^]'].join('|'), 'y');

/** `db.system.name` of the databases whose quoting is known. */
export type SqlSystem = 'postgresql' | 'sqlite' | 'mysql';

export const DIALECTS: Readonly<Record<SqlSystem, Dialect>> = {
  postgresql: {
    pattern: of(SPACE, COMMENT, String.raw`\/\*`, `(?:[uU]&|[bBeExXnN])'`, DOLLAR_TAG, PARAMETER, WORD, NUMBER),
    backslash: false,
    doubleQuoted: 'name',
    nestedComments: true,
  },
  sqlite: {
    // `?1` is a parameter, `[a b]` a name.
    pattern: of(SPACE, COMMENT, String.raw`\/\*`, `[xX]'`, String.raw`\?\d+`, PARAMETER, WORD, NUMBER),
    backslash: false,
    doubleQuoted: 'either',
    nestedComments: false,
  },
  mysql: {
    // `5--3` is a subtraction: only a blank after it makes `--` a comment.
    pattern: of(SPACE, String.raw`--(?![^\s])[^\n\r]*`, '#[^\\n\\r]*', String.raw`\/\*`, `[bBxXnN]'`, WORD, NUMBER),
    backslash: true,
    doubleQuoted: 'value',
    nestedComments: false,
  },
};

const VALUE: Token = { kind: 'value', text: '?' };
const OPEN: Token = { ...VALUE, open: true };
const BLANK: Token = { kind: 'space', text: ' ' };

/** The tokens of a statement. What is left open at its end is taken for a value. */
export function* tokensOf(sql: string, dialect: Dialect): Generator<Token, void> {
  const { pattern } = dialect;
  // PostgreSQL goes on with a string after a line break, by the rules of its first part.
  let escaped = false;
  for (let at = 0; at < sql.length; ) {
    pattern.lastIndex = at;
    const found = pattern.exec(sql)?.[0] ?? sql.charAt(at);
    const after = at + found.length;
    const blank = isBlank(found, dialect);
    if (found.endsWith("'")) {
      escaped = dialect.backslash || (dialect === DIALECTS.postgresql && (/^[eE]/.test(found) || escaped));
      at = closeQuote(sql, after, "'", escaped);
      yield at > sql.length ? OPEN : VALUE;
      continue;
    }
    if (!blank) escaped = false;
    const token = blank ? BLANK : tokenOf(found, dialect);
    at = found === '/*' ? closeComment(sql, after, dialect.nestedComments) : after;
    if (token !== undefined) yield token;
    else {
      at = closeOther(sql, after, found, dialect);
      yield at > sql.length ? OPEN : quoted(sql.slice(after - found.length, at), found, dialect);
    }
  }
}

function isBlank(found: string, dialect: Dialect): boolean {
  if (/^[ \t\n\r\f\v]/.test(found) || found === '/*') return true;
  return (found.startsWith('--') && found !== '-') || (dialect === DIALECTS.mysql && found.startsWith('#'));
}

/** The token that stands by itself; none for what opens something that has to be closed. */
function tokenOf(found: string, dialect: Dialect): Token | undefined {
  const first = found.charAt(0);
  if (first >= '0' && first <= '9') return VALUE;
  if (/^[A-Za-z_\x80-\uffff]/.test(first)) return { kind: 'word', text: found };
  if (found.length > 1 && first === '$') return found.endsWith('$') ? undefined : { kind: 'parameter', text: found };
  if (first === '?') return { kind: 'parameter', text: found };
  if (first === '"' || first === '`' || (first === '[' && dialect === DIALECTS.sqlite)) return undefined;
  return { kind: 'mark', text: found };
}

/** Where what `opener` opened has ended; beyond the statement's end where it has not. */
function closeOther(sql: string, from: number, opener: string, dialect: Dialect): number {
  if (opener === '"') return closeQuote(sql, from, '"', dialect.backslash);
  if (opener === '`') return closeQuote(sql, from, '`', false);
  const closer = opener === '[' ? ']' : opener;
  const end = sql.indexOf(closer, from);
  return end === -1 ? sql.length + 1 : end + closer.length;
}

function quoted(text: string, opener: string, { doubleQuoted }: Dialect): Token {
  if (opener.startsWith('$')) return VALUE;
  // SQLite takes a quoted name that it does not know for a string: what does not look like a name is a value.
  const unsure =
    opener === '"' && (doubleQuoted === 'value' || (doubleQuoted === 'either' && !/^"[\w$]+"$/.test(text)));
  return unsure ? VALUE : { kind: 'name', text };
}

function closeQuote(sql: string, from: number, quote: string, backslash: boolean): number {
  for (let at = from; at < sql.length; at += 1) {
    const char = sql[at];
    if (char === '\\' && backslash) at += 1;
    else if (char === quote) {
      if (sql[at + 1] !== quote) return at + 1;
      at += 1;
    }
  }
  return sql.length + 1;
}

function closeComment(sql: string, from: number, nested: boolean): number {
  let depth = 1;
  for (let at = from; at < sql.length; at += 1) {
    if (sql.startsWith('*/', at)) {
      depth -= 1;
      at += 1;
      if (depth === 0) return at + 1;
    } else if (nested && sql.startsWith('/*', at)) {
      depth += 1;
      at += 1;
    }
  }
  return sql.length;
}
