/** The files that deploy the service, and the tools that check them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

export const read = (path: string): string => readFileSync(`${ROOT}/${path}`, 'utf8');

/** The YAML file's content, of the shape that the test expects. */
export const readYaml = <T>(path: string): T => parse(read(path), { merge: true }) as T;

/** Where servers are required, a missing tool fails its tests; elsewhere they are skipped, and say why. */
export function toolFor(command: string, args: readonly string[]): { skip: boolean; why: string } {
  const found = spawnSync(command, args).status === 0;
  const skip = !found && process.env.REQUIRE_SERVERS !== '1';
  return { skip, why: skip ? ` (skipped: no ${command} here)` : '' };
}
