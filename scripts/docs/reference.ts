/** The pages of docs/reference/, by their paths. */
import { checksPage } from './checks.ts';
import { fieldsPage } from './fields.ts';
import { metricsPage } from './metrics.ts';
import { spansPage } from './spans.ts';
import { variablesPage } from './variables.ts';

const FOLDER = 'docs/reference';

/** Each page as it should stand. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    [`${FOLDER}/metrics.md`, metricsPage()],
    [`${FOLDER}/fields.md`, fieldsPage()],
    [`${FOLDER}/spans.md`, spansPage()],
    [`${FOLDER}/variables.md`, variablesPage()],
    [`${FOLDER}/checks.md`, checksPage()],
  ]);
}
