/** The command line from its arguments to its exit status. */
import { type Command, parseCommand } from './command.ts';
import { diagnose } from './doctor.ts';
import type { Environment } from './environment.ts';
import { type Diagnosis, sumOf } from './findings.ts';
import { readManifest } from './manifest.ts';
import { toJson, toText } from './report.ts';

/** Where a command runs. */
export interface World {
  readonly env: Environment;
  readonly cwd: string;
  readonly out: { readonly isTTY?: boolean; write(text: string): unknown };
  readonly err: { write(text: string): unknown };
}

/** Gives the exit status: 0 where all is well, 1 with problems, 2 for wrong usage. Never rejects. */
export async function run(args: readonly string[], world: World): Promise<number> {
  try {
    return await follow(parseCommand(args, world.cwd), world);
  } catch (error) {
    // A defect of our own, which is no reason for a stack on somebody's terminal.
    const { name, code } = error as NodeJS.ErrnoException;
    world.err.write(`binnacle: the command itself failed (${code ?? name ?? 'unknown'})\n`);
    return 1;
  }
}

async function follow(command: Command, world: World): Promise<number> {
  switch (command.kind) {
    case 'help':
      world.out.write(command.text);
      return 0;
    case 'version':
      world.out.write(`${ownVersion()}\n`);
      return 0;
    case 'wrong':
      world.err.write(`binnacle: ${command.why}\n`);
      return 2;
    case 'doctor': {
      const { folder, url, json } = command;
      const diagnosis = await diagnose({ folder, url, env: world.env, version: ownVersion() });
      world.out.write(json ? toJson(diagnosis) : toText(diagnosis, { color: isColored(world) }));
      return statusOf(diagnosis);
    }
    case 'console': {
      const { runConsole } = await import('./console.ts');
      return runConsole({ ...command, version: ownVersion() }, world);
    }
  }
}

function statusOf(diagnosis: Diagnosis): number {
  return sumOf(diagnosis).problem > 0 ? 1 : 0;
}

/** https://no-color.org: a value, unless it is empty. */
function isColored({ env, out }: World): boolean {
  return out.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

function ownVersion(): string {
  const manifest = readManifest(new URL('../../package.json', import.meta.url));
  return typeof manifest === 'string' ? 'unknown' : (manifest.version ?? 'unknown');
}
