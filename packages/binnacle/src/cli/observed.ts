/** Which of a project's libraries are observed. */
import { type Finding, note, ok, problem } from './findings.ts';
import { type Copy, findCopies, resolveCopy } from './installed.ts';
import { type AiWay, LIBRARIES, OTEL_API, type Way } from './libraries.ts';
import type { Manifest } from './manifest.ts';
import type { Sources } from './sources.ts';
import { isAtLeast } from './version.ts';

export interface LibraryOptions {
  readonly folder: string;
  /** Undefined where there is none that can be read. */
  readonly manifest: Manifest | undefined;
  readonly sources: Sources;
}

/** A library that the project uses. */
interface Library {
  readonly name: string;
  readonly version: string;
  readonly way: Way;
  /** True where the service itself runs with it, rather than its tests or another package. */
  readonly own: boolean;
}

const HTTP_ALONE = 'as HTTP alone: no tokens, no model, no first chunk';

export function checkLibraries({ folder, manifest, sources }: LibraryOptions): Finding[] {
  const copies = findCopies(folder, new Set([...LIBRARIES.keys(), OTEL_API]));
  const findings = [...LIBRARIES].flatMap(([name, way]): Finding[] => {
    // `redis` asks for its own version of `@redis/client`: an old one would be told of twice.
    const told = name === '@redis/client' && manifest?.dependencies.has('redis') === true;
    const others = told ? [] : copies.filter((copy) => copy.name === name);
    const own = manifest?.dependencies.has(name) === true || manifest?.optional.has(name) === true;
    const copy = own || manifest?.devDependencies.has(name) === true ? resolveCopy(folder, name) : undefined;
    if (copy === undefined && manifest?.dependencies.has(name)) {
      return [note(name, 'is declared and not installed', 'npm install')];
    }
    const first = copy === undefined ? [] : [describe({ name, version: copy.version, way, own }, sources)];
    return [...first, ...oldCopies(name, way, others, copy)];
  });
  return [
    ok('fetch', 'of Node.js itself: observed'),
    ...findings,
    ...checkApi(folder, copies),
    ...checkSearch(sources),
  ];
}

/** Copies that other packages bring along are told of where nothing is seen of them. */
function oldCopies(name: string, way: Way, copies: readonly Copy[], own: Copy | undefined): Finding[] {
  if (way.kind !== 'channels') return [];
  const old = copies.filter(({ path, version }) => path !== own?.path && isAtLeast(version, way.least) === false);
  return old.map(({ version, path }) =>
    note(
      `${name} ${version}`,
      `in ${path}: not observed`,
      `have its owner take ${name} ${shortOf(way.least)} or later`,
    ),
  );
}

function describe(library: Library, sources: Sources): Finding {
  const { name, version, way } = library;
  const subject = `${name} ${version}`;
  switch (way.kind) {
    case 'channels':
      return describeChannels(library, way.least);
    case 'client':
      return describeClient(subject, sources);
    case 'adapter':
      return describeAdapter(library, way, sources);
    case 'framework':
      return note(subject, 'no adapter: its routes are not told', 'await observeNode(obs, server), by binnacle/node');
    case 'ai':
      return describeAi(library, way, sources);
    case 'ai by hand':
      return describeByHand(subject, sources);
    case 'http':
      return ok(subject, `its requests are those of ${way.over}: observed`);
    case 'registries':
      return describeRegistries(subject, sources);
    case 'opentelemetry':
      return note(
        subject,
        'where it is started, its tracer provider is used and spans go where it sends them',
        'start it before observe(), best by node --import; what it wraps itself Binnacle leaves to it',
      );
    case 'none':
      return note(subject, 'not observed', 'put spans around its calls by @opentelemetry/api, or time them by timed()');
  }
}

function describeChannels({ name, version, own }: Library, least: string): Finding {
  const subject = `${name} ${version}`;
  const enough = isAtLeast(version, least);
  const from = shortOf(least);
  if (enough === true) return ok(subject, 'observed, by its diagnostics channels');
  if (enough === undefined) return note(subject, 'no version to tell by', `it is observed from ${from} on`);
  const what = `not observed: it publishes no diagnostics channels before ${from}`;
  const mend = `npm install ${name}@latest (${from} or later)`;
  return own ? problem(subject, what, mend) : note(subject, what, mend);
}

function describeClient(subject: string, { files, uses }: Sources): Finding {
  const what = 'observed once handed to obs.client()';
  if (uses.client !== undefined) return ok(subject, `${what}: in ${uses.client}`);
  const searched = files === 0 ? '' : '; no source file calls it';
  return note(subject, `${what}${searched}`, 'const db = obs.client(pool), once, where the pool or client is made');
}

function describeAdapter(
  { name, version, own }: Library,
  { least, use, mend }: Extract<Way, { kind: 'adapter' }>,
  { uses }: Sources,
): Finding {
  const subject = `${name} ${version}`;
  if (isAtLeast(version, least) === false) {
    const what = `not observed: binnacle/${use} is for ${shortOf(least)} and later`;
    const update = `npm install ${name}@latest`;
    return own ? problem(subject, what, update) : note(subject, what, update);
  }
  // Nest stands on Express or Fastify, which then need no adapter of their own.
  const found = ([use, 'nest'] as const).find((adapter) => uses[adapter] !== undefined);
  if (found !== undefined) return ok(subject, `observed by binnacle/${found}, which is imported in ${uses[found]}`);
  return note(subject, `observed by binnacle/${use}, which no source file imports`, mend);
}

function describeAi({ name, version }: Library, way: AiWay, { files, uses }: Sources): Finding {
  const { use, least, once, seen, mend } = way;
  const subject = `${name} ${version}`;
  if (isAtLeast(version, least) === false) {
    const from = shortOf(least);
    return note(
      subject,
      `obs.${use}() is tested with ${from} and later`,
      `npm install ${name}@latest (${from} or later)`,
    );
  }
  if (uses[use] !== undefined) return ok(subject, `observed ${once}, as in ${uses[use]}: ${seen}`);
  if (uses.ai !== undefined) return ok(subject, toldByHand(uses.ai));
  const searched = files === 0 ? '' : ', which no source file uses';
  return note(subject, `observed ${once}${searched}; until then ${HTTP_ALONE}`, mend);
}

function describeByHand(subject: string, { uses }: Sources): Finding {
  if (uses.ai !== undefined) return ok(subject, toldByHand(uses.ai));
  return note(
    subject,
    `its requests are observed ${HTTP_ALONE}`,
    'wrap its calls by obs.ai.call() and obs.ai.stream()',
  );
}

function toldByHand(place: string): string {
  return `told of by obs.ai, which is used in ${place}`;
}

function describeRegistries(subject: string, { uses }: Sources): Finding {
  if (uses.registries !== undefined) return ok(subject, `registries are handed over in ${uses.registries}`);
  return note(subject, 'its metrics are not in the scrape', 'observe({ registries: [register] })');
}

/**
 * Copies of OpenTelemetry's API find each other through a global. One that is newer, by its minor version, than the one
 * that set it finds nothing (`isCompatible` of `@opentelemetry/api/src/internal/semver.ts`).
 */
function checkApi(folder: string, copies: readonly Copy[]): Finding[] {
  const found = copies.filter(({ name }) => name === OTEL_API);
  if (found.length < 2) return found.map(({ version }) => ok(`${OTEL_API} ${version}`, 'one copy'));
  const places = found.slice(0, 5).map(({ version, path }) => `${version} in ${path}`);
  const more = found.length > places.length ? ` and ${found.length - places.length} more` : '';
  const where = `${places.join(', ')}${more}`;
  const minors = new Set(found.map(({ version }) => version.split('.').slice(0, 2).join('.')));
  if (minors.size === 1)
    return [note(OTEL_API, `${found.length} copies, which share contexts: ${where}`, 'npm dedupe')];
  const own = resolveCopy(folder, OTEL_API)?.version ?? '1.9.0';
  return [
    problem(
      OTEL_API,
      `${found.length} copies, between which contexts are lost: ${where}`,
      `npm dedupe, or one for all in package.json: "overrides": { "${OTEL_API}": "${own}" }`,
    ),
  ];
}

function checkSearch({ files, cut }: Sources): Finding[] {
  return cut ? [note('sources', `only the first ${files} files were searched`)] : [];
}

/** `5.11.0` is 5.11, `5.0.0` is 5. */
function shortOf(version: string): string {
  return version.replace(/(\.0)+$/, '');
}
