/** Log records from OTLP's JSON to what the console shows. */
import { anyOf, attributesOf, eachJson, enumOf, nanosOf, spanIdOf, textOf, traceIdOf } from './otlp-json.ts';
import { finishLog, type NewLog } from './otlp-logs.ts';
import { CUT } from './otlp-values.ts';
import { toMs } from './protobuf.ts';

const ENVELOPE = { resources: 'resourceLogs', scopes: 'scopeLogs', records: 'logRecords' } as const;
const SEVERITY_NAMES = [
  'UNSPECIFIED',
  ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((name) => [name, ...[2, 3, 4].map((n) => name + n)]),
];

/** Gives each of a request's records, one by one; those without a time have `now`. Throws OtlpError where it is none. */
export function eachJsonLog(bytes: Uint8Array, now: number, take: (log: NewLog) => void): void {
  eachJson(bytes, ENVELOPE, (json, origin, room) => {
    room.begin();
    const draft = {
      time: toMs(nanosOf(json.timeUnixNano)),
      observed: toMs(nanosOf(json.observedTimeUnixNano)),
      severity: enumOf(json.severityNumber, 'SEVERITY_NUMBER_', SEVERITY_NAMES),
      severityText: textOf(json.severityText, room),
      body: anyOf(json.body, room),
      eventName: textOf(json.eventName, room),
      traceId: traceIdOf(json.traceId),
      spanId: spanIdOf(json.spanId),
      attributes: attributesOf(json.attributes, room),
    };
    if (room.cut) draft.attributes[CUT] = true;
    take(finishLog(draft, origin, now));
  });
}
