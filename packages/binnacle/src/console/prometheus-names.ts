/**
 * OpenTelemetry's names written the Prometheus way, as the Collector writes them:
 * https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus
 */
import type { Attribute, Attributes, MetricFamily } from './wire.ts';

/** UCUM's units by Prometheus' words. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['GiBy', 'gibibytes'],
  ['TiBy', 'tibibytes'],
  ['KBy', 'kilobytes'],
  ['MBy', 'megabytes'],
  ['GBy', 'gigabytes'],
  ['TBy', 'terabytes'],
  ['m', 'meters'],
  ['V', 'volts'],
  ['A', 'amperes'],
  ['J', 'joules'],
  ['W', 'watts'],
  ['g', 'grams'],
  ['Cel', 'celsius'],
  ['Hz', 'hertz'],
  ['1', ''],
  ['%', 'percent'],
]);
const PER_UNITS: ReadonlyMap<string, string> = new Map([
  ['s', 'second'],
  ['m', 'minute'],
  ['h', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
  ['mo', 'month'],
  ['y', 'year'],
]);

/** The most of a name, and of a label's value, in characters; and labels of a series. */
const NAME = 200;
const LABELS = 30;

/** `http.server.request.duration` in `s` is `http_server_request_duration_seconds`; a counter ends in `_total`. */
export function metricName(name: string, unit: string, type: MetricFamily['type']): string {
  let words = name
    .slice(0, NAME)
    .split(/[^a-zA-Z0-9:]+/)
    .filter((word) => word !== '');
  for (const word of unitWords(unit)) if (word.every((part) => !words.includes(part))) words.push(...word);
  if (type === 'counter') words = [...words.filter((word) => word !== 'total'), 'total'];
  if (type === 'gauge' && unit === '1') words = [...words.filter((word) => word !== 'ratio'), 'ratio'];
  const joined = words.join('_');
  return /^\d/.test(joined) || joined === '' ? `_${joined}` : joined;
}

/** The unit as the words that are added to a name: itself, and what it is by. Annotations (`{request}`) add none. */
function unitWords(unit: string): string[][] {
  const [main = '', per = ''] = unit
    .slice(0, NAME)
    .split('/', 2)
    .map((part) => part.trim());
  return [wordOf(main, UNITS), wordOf(per, PER_UNITS)].flatMap((word, index) => {
    if (word === '') return [];
    return [index === 0 ? [word] : ['per', word]];
  });
}

function wordOf(unit: string, words: ReadonlyMap<string, string>): string {
  if (/[{}]/.test(unit)) return '';
  return (words.get(unit) ?? unit).replace(/[^a-zA-Z0-9]+/g, '_').replace(/^_|_$/g, '');
}

/** A unit as Prometheus has it, undefined where there is none. */
export function unitName(unit: string): string | undefined {
  return unitWords(unit).flat().join('_') || undefined;
}

/** `http.route` is `http_route`; keys that become one have their values put together by `;`. Without what is empty. */
export function labelsOf(attributes: Attributes, service: string): Record<string, string> {
  const labels: Record<string, string> = Object.create(null);
  for (const [key, value] of Object.entries(attributes).slice(0, LABELS)) {
    const text = textOf(value).slice(0, NAME);
    if (text === '') continue;
    const name = labelName(key);
    labels[name] = labels[name] === undefined ? text : `${labels[name]};${text}`.slice(0, NAME);
  }
  labels.service_name = service;
  return labels;
}

function labelName(key: string): string {
  const name = key.slice(0, NAME).replace(/[^a-zA-Z0-9_]+/g, '_') || '_';
  return /^\d/.test(name) ? `key_${name}` : name;
}

function textOf(value: Attribute): string {
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
