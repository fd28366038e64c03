/** What is asked for on the command line. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'doctor';
      readonly folder: string;
      readonly url: string | undefined;
      readonly json: boolean;
    }
  /** With one line that says what is allowed. It repeats names, never values. */
  | { readonly kind: 'wrong'; readonly why: string };

export const HELP = `binnacle doctor: what of your service is observed and what is not, with how to mend each.

Usage: binnacle doctor [--dir PATH] [--url URL] [--json]

  --dir PATH   folder of the service; where you are unless told
  --url URL    a running service, asked for /metrics (with METRICS_TOKEN) and /health
  --json       the same as JSON
  --help       this text
  --version    the version of Binnacle

The environment is read as the service would read it, so start it with the same variables.
Exit status: 0 without problems, 1 with problems, 2 for wrong usage.
`;

const ALLOWED = 'allowed is: binnacle doctor [--dir PATH] [--url URL] [--json], binnacle --help, binnacle --version';
const OPTIONS = {
  dir: { type: 'string' },
  url: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

export function parseCommand(args: readonly string[], cwd: string): Command {
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  if (values.help === true) return { kind: 'help' };
  for (const token of tokens) {
    const why = token.kind === 'option' ? whyNotOption(token.name, token.rawName, token.value) : undefined;
    if (why !== undefined) return wrong(why);
  }
  if (values.version === true) return { kind: 'version' };
  const [command, ...more] = positionals;
  if (command === undefined) return wrong('no command');
  if (command !== 'doctor') return wrong(`no such command: ${nameOf(command)}`);
  if (more.length > 0) return wrong(`doctor takes no ${nameOf(more[0] as string)}`);
  const { dir, url } = values;
  const folder = resolve(cwd, typeof dir === 'string' ? dir : '.');
  if (!isFolder(folder)) return wrong('--dir names no folder');
  if (typeof url === 'string' && !isHttpUrl(url)) return wrong('--url is no http:// or https:// URL');
  return { kind: 'doctor', folder, url: typeof url === 'string' ? url : undefined, json: values.json === true };
}

function wrong(why: string): Command {
  return { kind: 'wrong', why: `${why}; ${ALLOWED}` };
}

function whyNotOption(name: string, rawName: string, value: string | undefined): string | undefined {
  if (!Object.hasOwn(OPTIONS, name)) return `no such option: ${nameOf(rawName)}`;
  const { type } = OPTIONS[name as keyof typeof OPTIONS];
  if (type === 'boolean') return value === undefined ? undefined : `--${name} takes no value`;
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
