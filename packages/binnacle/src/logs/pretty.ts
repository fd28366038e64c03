/**
 * Lines for a developer's terminal: aligned, coloured where asked, ids shortened. Whatever comes from outside is
 * escaped, so that a value can neither forge a line nor drive the terminal.
 */

export interface PrettyOptions {
  readonly colour: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** Left out, or written elsewhere in the line. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'timestamp',
  'level',
  'logger',
  'message',
  'request_id',
  'session_id',
  'user_id',
  'ip',
  'trace_id',
  'span_id',
  'trace_flags',
  'exception',
  'module',
  'function',
  'line',
  'service',
  'version',
  'environment',
]);

/** Ids at the end of a line: the field, and the short name it goes by. */
const IDS: readonly (readonly [field: string, name: string])[] = [
  ['request_id', 'req'],
  ['trace_id', 'trace'],
  ['user_id', 'user'],
];
const ID_LENGTH = 8;

/** Levels in five letters, and their colours (SGR codes). */
const LEVELS: Readonly<Record<string, readonly [label: string, colour: string]>> = {
  TRACE: ['TRACE', '90'],
  DEBUG: ['DEBUG', '36'],
  INFO: ['INFO ', '32'],
  WARNING: ['WARN ', '33'],
  ERROR: ['ERROR', '31'],
  CRITICAL: ['CRIT ', '1;37;41'],
};
/** The logger's column grows with the names seen, up to this many characters. */
const LOGGER_WIDTH = 24;
/** Causes are shown this deep. */
const CAUSE_DEPTH = 6;

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };
/** C0, DEL and C1 controls, line separators, and the marks that turn the direction of text around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE: RegExp = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Text without anything that a terminal obeys. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (char) => ESCAPES[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Turns a JSON line, its newline included, into text of one line, and more below it where there is an exception. */
export function createPretty({ colour }: PrettyOptions): (line: string) => string {
  const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  let width = 0;
  return (line) => {
    const fields = parse(line);
    if (fields === undefined) return `${escapeText(line.trimEnd())}\n`;
    const logger = escapeText(String(fields.logger ?? ''));
    width = Math.max(width, Math.min(logger.length, LOGGER_WIDTH));
    const [label, code] = LEVELS[String(fields.level)] ?? [escapeText(String(fields.level)).padEnd(5), '0'];
    const head = [
      `${paint('90', clockTime(fields.timestamp))} ${paint(code, label)} ${paint('34', logger.padEnd(width))}`,
      escapeText(String(fields.message ?? '')),
    ];
    const pairs = pairsOf(fields).map(([name, value]) => `${paint('90', `${name}=`)}${value}`);
    if (pairs.length > 0) head.push(pairs.join(' '));
    return `${head.join('  ')}\n${exceptionText(fields.exception, (text) => paint('31', text))}`;
  };
}

function parse(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** `12:34:56.789`, in the developer's time zone. */
function clockTime(timestamp: unknown): string {
  const date = new Date(String(timestamp));
  if (Number.isNaN(date.getTime())) return '--:--:--.---';
  const two = (value: number): string => String(value).padStart(2, '0');
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

function pairsOf(fields: Fields): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (const [key, value] of Object.entries(fields)) {
    if (!ELSEWHERE.has(key)) pairs.push([nameText(key), valueText(value)]);
  }
  const at = callerText(fields);
  if (at !== undefined) pairs.push(['at', at]);
  const { session_id: session, ip } = fields;
  // The guide's messages begin with the session's id.
  if (session !== undefined && !String(fields.message).startsWith(`[${session}]`))
    pairs.push(['session', shortId(session)]);
  for (const [field, name] of IDS) if (fields[field] !== undefined) pairs.push([name, shortId(fields[field])]);
  if (ip !== undefined) pairs.push(['ip', valueText(ip)]);
  return pairs;
}

function callerText({ module, function: name, line }: Fields): string | undefined {
  if (module === undefined && name === undefined && line === undefined) return undefined;
  return valueText(`${module ?? ''}:${line ?? ''}:${name ?? ''}`);
}

function shortId(id: unknown): string {
  return valueText(typeof id === 'string' ? id.slice(0, ID_LENGTH) : id);
}

function nameText(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : escapeText(JSON.stringify(name));
}

/** A word as it is, other text in quotes, objects as compact JSON. */
function valueText(value: unknown): string {
  const bare = typeof value === 'string' && value !== '' && !/[\s"=]/.test(value);
  return escapeText(bare ? value : (JSON.stringify(value) ?? 'undefined'));
}

function exceptionText(exception: unknown, paint: (text: string) => string): string {
  const lines: string[] = [];
  addException(lines, exception, '', '    ', 0);
  return lines.map((line) => `${paint(line)}\n`).join('');
}

function addException(lines: string[], exception: unknown, title: string, indent: string, depth: number): void {
  if (typeof exception !== 'object' || exception === null) {
    if (exception !== undefined) lines.push(`${indent}${title}${escapeText(String(exception))}`);
    return;
  }
  const { type, message, stack, cause, errors } = exception as Fields;
  const text = typeof stack === 'string' ? stack : `${type ?? 'Error'}: ${message ?? ''}`;
  const [first = '', ...rest] = text.split(/\r?\n/);
  lines.push(`${indent}${title}${escapeText(first)}`);
  for (const line of rest) lines.push(`${indent}${escapeText(line)}`);
  if (depth >= CAUSE_DEPTH) return;
  if (cause !== undefined) addException(lines, cause, 'Caused by: ', indent, depth + 1);
  if (Array.isArray(errors)) {
    for (const error of errors) addException(lines, error, 'Among them: ', `${indent}  `, depth + 1);
  }
}
