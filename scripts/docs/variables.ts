/** docs/reference/variables.md: meanings from the tables, and what is allowed from the readers themselves. */
import { readFitCheckSettings } from '../../apps/fit-check/src/settings.ts';
import { variables as fitCheckVariables } from '../../apps/fit-check/src/variables.ts';
import type { SettingsError } from '../../packages/binnacle/src/environment.ts';
import { createSettings } from '../../packages/binnacle/src/settings.ts';
import { otelVariables, type Variable, variables } from '../../packages/binnacle/src/variables.ts';
import { code, pageOf, tableOf } from './markdown.ts';

type Env = Readonly<Record<string, string | undefined>>;
/** One reader of an environment: what it makes of it, and what it warned of. */
export type ReadEnv = (env: Env) => unknown;

export const readLibrary: ReadEnv = (env) => createSettings({ service: 'service', env });
export const readService: ReadEnv = (env) => readFitCheckSettings(env as NodeJS.ProcessEnv);

/** No variable that is checked takes this: neither a word, a number, a URL, pairs nor a regular expression. */
const WRONG = '(\u0001';
/** Without these, some others are not looked at. */
export const COMPANIONS: Env = { OTEL_TRACES_SAMPLER: 'traceidratio', SEARCH_URL: 'http://localhost:8888' };

/** What a variable may hold, in the reader's own words. */
export function allowedOf(read: ReadEnv, name: string): string {
  const env = { ...COMPANIONS, [name]: WRONG };
  const problem = problemsOf(read, env).find(({ variable }) => variable === name);
  return problem?.allowed ?? 'any text';
}

function problemsOf(read: ReadEnv, env: Env): SettingsError['problems'] {
  try {
    return (read(env) as { warnings?: SettingsError['problems'] }).warnings ?? [];
  } catch (error) {
    // fit-check reads by the package's name: its class may be another copy of the same.
    if (error instanceof Error && error.name === 'SettingsError') return (error as SettingsError).problems;
    throw error;
  }
}

export function variablesPage(): string {
  return pageOf(
    'Variables',
    'Read once, at the start; empty means unset. What is allowed, with its unit, is what the reader itself says of a wrong value.',
    'No file is read: what stands in a `.env` is there once Node.js is told so (`node --env-file=.env server.js`). What only code can say (phases, `user`, budgets of metrics, prices) is an option of `observe()`. `npx binnacle doctor` tells all that is wrong, without starting the service.',
    '## Of the library',
    'A wrong value stops the start with one line that names the variable, the value and what is allowed: `*_URL` without user, password and query; `*_KEY`, `*_TOKEN` and `*_HEADERS` never.',
    variableTable(variables, readLibrary),
    '## Of OpenTelemetry',
    'As [its specification](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/) has them: a wrong value is a warning, and the default is used.',
    variableTable(otelVariables, readLibrary),
    '## Of fit-check',
    "The service's own; all of the above are its too.",
    variableTable(fitCheckVariables, readService),
  );
}

function variableTable(table: readonly Variable[], read: ReadEnv): string {
  return tableOf(
    ['variable', 'default', 'allowed', 'meaning'],
    table.map((variable) => [
      code(variable.name),
      variable.otherwise ?? code(variable.default),
      allowedOf(read, variable.name),
      variable.meaning,
    ]),
  );
}
