/** What the project runs on: Node.js, its package.json, and Binnacle in it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sendsTraceparentByNodeHttp } from '../drivers/http-client.ts';
import { type Finding, note, ok, problem } from './findings.ts';
import { findCopies, resolveCopy } from './installed.ts';
import type { readManifest } from './manifest.ts';
import type { Sources } from './sources.ts';
import { isAtLeast } from './version.ts';

export const LEAST_NODE = '20.19.0';

export interface RuntimeOptions {
  readonly folder: string;
  readonly manifest: ReturnType<typeof readManifest>;
  readonly sources: Sources;
  /** Of Node.js. */
  readonly node: string;
}

export function checkRuntime({ folder, manifest, sources, node }: RuntimeOptions): Finding[] {
  return [
    isAtLeast(node, LEAST_NODE) === false
      ? problem('Node.js', `${node} is older than Binnacle runs on`, 'use Node.js 20.19 or later')
      : ok('Node.js', node),
    ...checkNodeHttp(node),
    ...checkManifest(folder, manifest),
    ...checkBinnacle(folder, manifest, sources),
    ...checkEnvFile(folder),
  ];
}

/** Where spans are told of a request only once its headers are out, nothing can be sent on with it. */
function checkNodeHttp(node: string): Finding[] {
  if (sendsTraceparentByNodeHttp(node)) return [ok('node:http client', 'observed, and sends traceparent on')];
  return [
    note(
      'node:http client',
      'observed, and sends no traceparent on: its traces end here',
      'use Node.js 22.12 or later (not 23.0 or 23.1), or fetch, which sends it in every version',
    ),
  ];
}

function checkManifest(folder: string, manifest: RuntimeOptions['manifest']): Finding[] {
  if (manifest === 'missing') {
    return [
      note('package.json', 'there is none here', 'run this in the folder of your service, or name it by --dir PATH'),
    ];
  }
  if (manifest === 'broken')
    return [problem('package.json', 'cannot be read as JSON', `mend ${join(folder, 'package.json')}`)];
  return [];
}

function checkBinnacle(folder: string, manifest: RuntimeOptions['manifest'], sources: Sources): Finding[] {
  if (typeof manifest === 'string' || manifest.name === 'binnacle') return [];
  const copy = resolveCopy(folder, 'binnacle');
  if (copy === undefined) return [note('binnacle', 'is not installed here', 'npm install binnacle')];
  const others = findCopies(folder, new Set(['binnacle'])).slice(1);
  if (others.length > 0) {
    const paths = [copy, ...others].map(({ path }) => path).join(', ');
    return [
      note('binnacle', `is there more than once: ${paths}`, 'call observe() of one copy alone; npm dedupe leaves one'),
    ];
  }
  if (sources.files === 0 || sources.uses.observe !== undefined) return [ok('binnacle', copy.version)];
  return [
    note(
      'binnacle',
      `${copy.version}, and no source file imports it`,
      `import { observe } from 'binnacle' and call observe({ service }) first`,
    ),
  ];
}

/** A doctor that reads other variables than the service would be wrong about it. */
function checkEnvFile(folder: string): Finding[] {
  if (!existsSync(join(folder, '.env'))) return [];
  return [
    note(
      '.env',
      'is there; the doctor reads the environment that it is started in, and no file',
      'node --env-file=.env node_modules/binnacle/dist/cli/main.js doctor',
    ),
  ];
}
