/** What is asked for on the command line. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export type Command =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'doctor';
      readonly folder: string;
      readonly url: string | undefined;
      readonly json: boolean;
    }
  | {
      readonly kind: 'console';
      /** 0 is any that is free. */
      readonly port: number;
      readonly host: string;
      /** Undefined where none is given; the environment may hold one. */
      readonly token: string | undefined;
    }
  /** With one line that says what is allowed. It repeats names, never values. */
  | { readonly kind: 'wrong'; readonly why: string };

const HELP = `binnacle: what is observed of your service, and what it is doing.

Usage: binnacle doctor [--dir PATH] [--url URL] [--json]
       binnacle console [--port PORT] [--host HOST] [--token TOKEN]

  doctor       what of your service is observed and what is not, with how to mend each
  console      traces, logs and metrics that services send by OTLP, live in the browser

  --help       this text; with a command, its own
  --version    the version of Binnacle
`;

const DOCTOR_HELP = `binnacle doctor: what of your service is observed and what is not, with how to mend each.

Usage: binnacle doctor [--dir PATH] [--url URL] [--json]

  --dir PATH   folder of the service; where you are unless told
  --url URL    a running service, asked for /metrics (with METRICS_TOKEN) and /health
  --json       the same as JSON
  --help       this text
  --version    the version of Binnacle

The environment is read as the service would read it, so start it with the same variables.
Exit status: 0 without problems, 1 with problems, 2 for wrong usage.
`;

const CONSOLE_HELP = `binnacle console: traces, logs and metrics that services send by OTLP, live in the browser.

Usage: binnacle console [--port PORT] [--host HOST] [--token TOKEN]

  --port PORT    where it listens; 4318 unless told, OTLP's own; 0 for any that is free
  --host HOST    the address it listens on; 127.0.0.1 unless told
  --token TOKEN  asked of its pages and of senders; CONSOLE_TOKEN unless told, which others on this machine do not see.
                 Needed wherever --host is not this machine alone
  --help         this text
  --version      the version of Binnacle

Point a service of any language at it: OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 and
OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf (or http/json; gRPC is not spoken). What it holds is in memory alone.
Exit status: 0 when it was ended, 1 where it could not listen, 2 for wrong usage.
`;

const ALLOWED =
  'allowed is: binnacle doctor [--dir PATH] [--url URL] [--json], ' +
  'binnacle console [--port PORT] [--host HOST] [--token TOKEN], binnacle --help, binnacle --version';

const GENERAL = { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } } as const;
const DOCTOR = { dir: { type: 'string' }, url: { type: 'string' }, json: { type: 'boolean' } } as const;
const CONSOLE = { port: { type: 'string' }, host: { type: 'string' }, token: { type: 'string' } } as const;
const OPTIONS = { ...GENERAL, ...DOCTOR, ...CONSOLE } as const;

type Options = Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>;
type Values = Readonly<Record<string, string | boolean | undefined>>;

const COMMANDS: Readonly<
  Record<string, { readonly help: string; readonly options: Options; parse(values: Values, cwd: string): Command }>
> = {
  doctor: { help: DOCTOR_HELP, options: DOCTOR, parse: parseDoctor },
  console: { help: CONSOLE_HELP, options: CONSOLE, parse: parseConsole },
};

/** OTLP's own over HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp-default-port */
const PORT = '4318';
const HOST = '127.0.0.1';
const MOST_PORT = 65_535;

export function parseCommand(args: readonly string[], cwd: string): Command {
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const [name, ...more] = positionals;
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (values.help === true) return { kind: 'help', text: command?.help ?? HELP };
  const allowed = { ...GENERAL, ...(command?.options ?? { ...DOCTOR, ...CONSOLE }) };
  for (const token of tokens) {
    const why = token.kind === 'option' ? whyNotOption(allowed, token.name, token.rawName, token.value) : undefined;
    if (why !== undefined) return wrong(why);
  }
  if (values.version === true) return { kind: 'version' };
  if (name === undefined) return wrong('no command');
  if (command === undefined) return wrong(`no such command: ${nameOf(name)}`);
  if (more.length > 0) return wrong(`${name} takes no ${nameOf(more[0] as string)}`);
  return command.parse(values as Values, cwd);
}

function parseDoctor({ dir, url, json }: Values, cwd: string): Command {
  const folder = resolve(cwd, typeof dir === 'string' ? dir : '.');
  if (!isFolder(folder)) return wrong('--dir names no folder');
  if (typeof url === 'string' && !isHttpUrl(url)) return wrong('--url is no http:// or https:// URL');
  return { kind: 'doctor', folder, url: typeof url === 'string' ? url : undefined, json: json === true };
}

function parseConsole({ port = PORT, host = HOST, token }: Values): Command {
  const number = /^\d{1,5}$/.test(String(port)) ? Number(port) : Number.NaN;
  if (!(number <= MOST_PORT)) return wrong(`--port is no number from 0 to ${MOST_PORT}`);
  if (!/^[\w.:-]{1,255}$/.test(String(host))) return wrong('--host is neither a name nor an address');
  if (token !== undefined && !isToken(token)) return wrong(`--token is to be ${TOKEN_RULE}`);
  return { kind: 'console', port: number, host: String(host), token: token as string | undefined };
}

/** As it can stand in a header, and is not guessed at once. */
export const TOKEN_RULE = 'of 8 to 256 visible ASCII characters';

export function isToken(token: unknown): boolean {
  return typeof token === 'string' && /^[!-~]{8,256}$/.test(token);
}

function wrong(why: string): Command {
  return { kind: 'wrong', why: `${why}; ${ALLOWED}` };
}

function whyNotOption(allowed: Options, name: string, rawName: string, value: string | undefined): string | undefined {
  const option = Object.hasOwn(allowed, name) ? allowed[name] : undefined;
  if (option === undefined) return `no such option: ${nameOf(rawName)}`;
  if (option.type === 'boolean') return value === undefined ? undefined : `--${name} takes no value`;
  return value === undefined || value === '' || value.startsWith('--') ? `--${name} asks for a value` : undefined;
}

/** As it may be printed: a word of one line. */
function nameOf(word: string): string {
  return /^[\w.-]{1,40}$/.test(word) ? word : '(something else)';
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
