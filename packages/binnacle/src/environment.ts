/**
 * Reading environment variables: each value is checked once, and every mistake names the variable, the value and what
 * is allowed. Empty means unset. The service reads its own variables with the same reader.
 */

/** One wrong variable. `value` is already safe to print: secrets are withheld, URLs lose user, password and query. */
export interface Problem {
  readonly variable: string;
  readonly value: string;
  readonly allowed: string;
}

/** Thrown at the start for wrong settings; its message is one line. */
export class SettingsError extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map(describeProblem).join('; '));
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

/** One problem as a sentence. */
export function describeProblem({ variable, value, allowed }: Problem): string {
  return `${variable}=${value} is not usable: allowed is ${allowed}`;
}

/** Turns a variable's text into a value, or gives `undefined` where it is wrong. */
export type Parse<T> = (text: string) => T | undefined;

export interface NumberRange {
  readonly min: number;
  readonly max: number;
  /** What the bound numbers are, in words (`milliseconds`, `bytes`); told in the error. */
  readonly unit?: string;
}

/** Reads variables one by one and gathers what is wrong with them. */
export interface Reader {
  /** The variable's text, or undefined when it is unset or empty. */
  text(variable: string): string | undefined;
  /** Parses with `parse`; `allowed` says in words what it takes. */
  parse<T, F>(variable: string, fallback: F, parse: Parse<T>, allowed: string): T | F;
  /** A whole number within a range. */
  integer<F>(variable: string, fallback: F, range: NumberRange): number | F;
  /** `true`, `false`, `1`, `0`, `yes`, `no`, `on`, `off`, any case. */
  flag(variable: string, fallback: boolean): boolean;
  /** One of some words, any case. */
  oneOf<T extends string, F>(variable: string, fallback: F, words: readonly T[]): T | F;
  /** Comma-separated words, trimmed, without empty ones. */
  list(variable: string, fallback: readonly string[]): readonly string[];
  /** An absolute http or https URL. */
  url<F>(variable: string, fallback: F): string | F;
  readonly problems: readonly Problem[];
}

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ...['true', '1', 'yes', 'on'].map((word) => [word, true] as const),
  ...['false', '0', 'no', 'off'].map((word) => [word, false] as const),
]);

/** A reader over an environment. */
export function createReader(env: Readonly<Record<string, string | undefined>>): Reader {
  const problems: Problem[] = [];
  const text = (variable: string): string | undefined => {
    const value = env[variable]?.trim();
    return value === '' ? undefined : value;
  };
  const parse = <T, F>(variable: string, fallback: F, parser: Parse<T>, allowed: string): T | F => {
    const value = text(variable);
    if (value === undefined) return fallback;
    const parsed = parser(value);
    if (parsed !== undefined) return parsed;
    problems.push({ variable, value: printableValue(variable, value), allowed });
    return fallback;
  };
  return {
    text,
    parse,
    problems,
    integer: (variable, fallback, range) =>
      parse(variable, fallback, (value) => parseInteger(value, range), describeRange(range)),
    flag: (variable, fallback) => parse(variable, fallback, (value) => FLAGS.get(value.toLowerCase()), 'true or false'),
    oneOf: (variable, fallback, words) =>
      parse(
        variable,
        fallback,
        (value) => words.find((word) => word.toLowerCase() === value.toLowerCase()),
        words.join(', '),
      ),
    list: (variable, fallback) => parse(variable, fallback, splitList, 'a comma-separated list'),
    url: (variable, fallback) => parse(variable, fallback, parseUrl, 'an absolute http:// or https:// URL'),
  };
}

/** Reads settings with `read`; throws one `SettingsError` that tells all that is wrong. */
export function readSettings<T>(env: Readonly<Record<string, string | undefined>>, read: (from: Reader) => T): T {
  const reader = createReader(env);
  const settings = read(reader);
  if (reader.problems.length > 0) throw new SettingsError(reader.problems);
  return settings;
}

/** A value as it may be printed: by the variable's name, secrets withheld, URLs without user, password and query. */
export function printableValue(variable: string, value: string): string {
  if (/(_KEY|_TOKEN|_HEADERS|PASSWORD|SECRET)$/i.test(variable)) return '(withheld)';
  if (/(_URL|ENDPOINT)$/i.test(variable)) return printableUrl(value);
  const oneLine = JSON.stringify(value).slice(1, -1);
  return `"${oneLine.length > 100 ? `${oneLine.slice(0, 100)}…` : oneLine}"`;
}

/** A password may hold any character, `/` and `?` too: all before the last `@` goes, even where it was no user. */
function printableUrl(value: string): string {
  const bare = value.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1').replace(/[?#].*$/s, '');
  return `"${JSON.stringify(bare).slice(1, -1).slice(0, 200)}"`;
}

function parseInteger(value: string, { min, max }: NumberRange): number | undefined {
  if (!/^[+-]?\d+$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) && number >= min && number <= max ? number : undefined;
}

function describeRange({ min, max, unit }: NumberRange): string {
  return `a whole number from ${min} to ${max}${unit === undefined ? '' : ` (${unit})`}`;
}

function splitList(value: string): readonly string[] {
  return value
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function parseUrl(value: string): string | undefined {
  if (!URL.canParse(value)) return undefined;
  const { protocol, hostname } = new URL(value);
  return (protocol === 'http:' || protocol === 'https:') && hostname !== '' ? value : undefined;
}
