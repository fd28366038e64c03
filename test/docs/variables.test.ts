/** The tables of variables against what the readers read, and take for the default. */
import { describe, expect, test } from 'vitest';
import { variables as fitCheckVariables } from '../../apps/fit-check/src/variables.ts';
import { otelVariables, type Variable, variables } from '../../packages/binnacle/src/variables.ts';
import { allowedOf, COMPANIONS, type ReadEnv, readLibrary, readService } from '../../scripts/docs/variables.ts';
import { librarySources } from './sources.ts';

/** Names that a reader asks an environment for, whatever is set. */
function namesReadBy(read: ReadEnv): Set<string> {
  const names = new Set<string>();
  for (const env of [{}, COMPANIONS]) {
    const told = new Proxy<Record<string, string | undefined>>(env, {
      get(target, name) {
        names.add(String(name));
        return Reflect.get(target, name);
      },
    });
    read(told);
  }
  return names;
}

/** What the sources ask without a reader: colours, by custom; not `PG*`, which are the database driver's own. */
function namesInSources(): string[] {
  const texts = librarySources();
  const names = texts.flatMap((text) => [...text.matchAll(/\benv\.([A-Z][A-Z_]+)/g)].map(([, name = '']) => name));
  return names.filter((name) => !name.startsWith('PG') && name !== 'TERM');
}

const namesOf = (table: readonly Variable[]): string[] => table.map(({ name }) => name);

const library: readonly Variable[] = [...variables, ...otelVariables];

describe('the table', () => {
  test("of the library's variables has those that are read, and no other", () => {
    const read = new Set([...namesReadBy(readLibrary), ...namesInSources()]);
    expect(namesOf(library).sort()).toEqual([...read].sort());
  });

  test("of fit-check's variables has those that are read, and no other", () => {
    expect(namesOf(fitCheckVariables).sort()).toEqual([...namesReadBy(readService)].sort());
  });

  test.each([...variables, ...otelVariables, ...fitCheckVariables])('$name says one default at most', (variable) => {
    expect(variable.default === undefined || variable.otherwise === undefined).toBe(true);
    expect(variable.meaning).toMatch(/[.)…]$/);
  });
});

describe('a quantity has its unit', () => {
  const tables = [
    ...library.map(({ name }) => ({ name, read: readLibrary })),
    ...fitCheckVariables.map(({ name }) => ({ name, read: readService })),
  ];
  const UNITS: readonly (readonly [RegExp, RegExp])[] = [
    [/_(?:MS|TIMEOUT|DELAY)$/, /\(milliseconds\)$/],
    [/_BYTES$/, /\(bytes\)$/],
    [/^OTEL_BSP_MAX_.*_SIZE$/, /\(spans\)$/],
  ];
  const quantities = tables.flatMap(({ name, read }) => {
    const unit = UNITS.find(([ends]) => ends.test(name))?.[1];
    return unit === undefined ? [] : [{ name, read, unit }];
  });

  test('there are many', () => expect(quantities.length).toBeGreaterThan(15));

  test.each(quantities)('$name', ({ name, read, unit }) => expect(allowedOf(read, name)).toMatch(unit));

  // Of what is counted in pieces, the name says what the pieces are.
  test('every other whole number is a port or a number of what its name says', () => {
    const bare = tables.filter(({ name, read }) => /^a whole number from \d+ to \d+$/.test(allowedOf(read, name)));
    expect(bare.map(({ name }) => name)).toEqual(['MANAGEMENT_PORT', 'PORT', 'MAX_SESSIONS']);
  });
});

/** The settings, but for whether a variable was there at all. */
function settingsFor(read: ReadEnv, env: Readonly<Record<string, string>>): unknown {
  const settings = read(env) as { health?: { criticalGiven?: boolean } };
  return 'health' in settings ? { ...settings, health: { ...settings.health, criticalGiven: undefined } } : settings;
}

describe('a default, given, changes nothing', () => {
  const cases = (table: readonly Variable[], read: ReadEnv) =>
    table.flatMap(({ name, default: value }) => (value === undefined ? [] : [{ name, value, read }]));
  test.each([...cases(library, readLibrary), ...cases(fitCheckVariables, readService)])(
    '$name=$value',
    ({ name, value, read }) => {
      // The share is looked at beside a sampler alone; an endpoint that is set is sent to.
      const beside: Record<string, string> =
        name === 'OTEL_TRACES_SAMPLER_ARG'
          ? { OTEL_TRACES_SAMPLER: 'traceidratio' }
          : name === 'OTEL_EXPORTER_OTLP_ENDPOINT'
            ? { OTEL_TRACES_EXPORTER: 'otlp' }
            : {};
      expect(settingsFor(read, { ...beside, [name]: value })).toEqual(settingsFor(read, beside));
    },
  );
});

test('what is allowed is asked of the reader', () => {
  expect(allowedOf(readLibrary, 'MANAGEMENT_PORT')).toBe('a whole number from 0 to 65535');
  expect(allowedOf(readLibrary, 'OTEL_TRACES_SAMPLER_ARG')).toBe('a ratio from 0 to 1');
  expect(allowedOf(readService, 'DATABASE_URL')).toMatch(/^file:PATH/);
  expect(allowedOf(readLibrary, 'LOG_FILE')).toBe('any text');
});
