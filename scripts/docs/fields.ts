/** docs/reference/fields.md, of the list of fields. */
import { lineFields } from '../../packages/binnacle/src/logs/field-list.ts';
import { code, pageOf, tableOf } from './markdown.ts';

export function fieldsPage(): string {
  return pageOf(
    'Log fields',
    "One JSON object a line (`LOG_FORMAT=json`). A line of yours has its own fields beside these, and so have a few of Binnacle's (a shutdown's, a breaker's). A field of yours that takes a name which every line has is kept with an underscore behind it (`level_`); the ids of the request in hand are not replaced.",
    tableOf(
      ['field', 'type', 'on', 'meaning'],
      lineFields.map(({ name, type, of, meaning }) => [code(name), type, of, meaning]),
    ),
    'The closing line is one a request, `Request completed`, or `[SID] Request completed` of a session; `session.note({ … })` adds fields to it. It is INFO, WARNING for `timeout`, ERROR for `error`, and DEBUG for paths of `OTEL_NODE_EXCLUDED_URLS`, however they end.',
    'Keys that hold secrets (`password`, `authorization`, `api_key`…) are redacted at any depth, in every line.',
  );
}
