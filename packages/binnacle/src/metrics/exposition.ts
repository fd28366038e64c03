/**
 * The scrape as text: Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/) or OpenMetrics 1.0.0. Written in chunks, so that a
 * large registry never holds the event loop.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Cell, Exemplar, Family } from './family.ts';
import type { GuestFamily } from './guests.ts';

export type Format = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

const CHUNK_CHARACTERS = 32_768;

/** The format that an `Accept` header asks for; Prometheus' text where it says nothing of OpenMetrics. */
export function negotiate(accept: string | undefined): Format {
  let best = 0;
  let format: Format = 'prometheus';
  for (const part of (accept ?? '').slice(0, 2000).split(',')) {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const quality = Number(parameters.find((word) => word.startsWith('q='))?.slice(2) ?? 1);
    if (!(quality > best)) continue;
    if (type === 'application/openmetrics-text' && speaksVersion(parameters)) [best, format] = [quality, 'openmetrics'];
    else if (type === 'text/plain' || type === 'text/*' || type === '*/*') [best, format] = [quality, 'prometheus'];
  }
  return format;
}

function speaksVersion(parameters: readonly string[]): boolean {
  const version = parameters.find((word) => word.startsWith('version='))?.slice(8);
  return version === undefined || version === '1.0.0' || version === '0.0.1';
}

/** Writes families and guests, about 32 KB at a time. */
export async function* expose(
  families: readonly Family[],
  guests: readonly GuestFamily[],
  format: Format,
): AsyncGenerator<string> {
  let chunk = '';
  for (const line of lines(families, guests, format)) {
    chunk += line;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = '';
    await turn();
  }
  yield format === 'openmetrics' ? `${chunk}# EOF\n` : chunk;
}

function* lines(families: readonly Family[], guests: readonly GuestFamily[], format: Format): Generator<string> {
  for (const family of families) {
    if (family.size === 0) continue;
    yield head(family, format);
    for (const cell of family.cells())
      yield family.kind === 'histogram' ? histogram(family, cell, format) : sample(family, cell);
  }
  for (const guest of guests) {
    yield head(guest, format);
    const total =
      format === 'openmetrics' && guest.kind === 'counter' && !guest.name.endsWith('_total') ? '_total' : '';
    for (const { suffix, labels, value } of guest.samples) {
      yield `${guest.name}${suffix}${total}${labels === '' ? '' : `{${labels}}`} ${number(value)}\n`;
    }
  }
}

/** OpenMetrics names a counter's family without `_total`. */
function head({ name, help, kind }: { name: string; help: string; kind: string }, format: Format): string {
  const open = format === 'openmetrics';
  const family = open && kind === 'counter' ? name.replace(/_total$/, '') : name;
  const type = open && kind === 'untyped' ? 'unknown' : kind;
  const text = help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return `# HELP ${family} ${open ? text.replace(/"/g, '\\"') : text}\n# TYPE ${family} ${type}\n`;
}

function sample(family: Family, cell: Cell): string {
  return `${family.name}${cell.labels === '' ? '' : `{${cell.labels}}`} ${number(cell.value)}\n`;
}

function histogram(family: Family, cell: Cell, format: Format): string {
  const comma = cell.labels === '' ? '' : `${cell.labels},`;
  const braces = cell.labels === '' ? '' : `{${cell.labels}}`;
  let text = '';
  let count = 0;
  for (let i = 0; i < cell.counts.length; i += 1) {
    count += cell.counts[i] as number;
    const example = format === 'openmetrics' && cell.exemplars !== undefined ? exemplar(cell.exemplars[i]) : '';
    text += `${family.name}_bucket{${comma}le="${family.buckets[i] ?? '+Inf'}"} ${count}${example}\n`;
  }
  return `${text}${family.name}_sum${braces} ${number(cell.sum)}\n${family.name}_count${braces} ${count}\n`;
}

/** OpenMetrics alone has them (https://prometheus.io/docs/specs/om/open_metrics_spec/#exemplars). */
function exemplar(of: Exemplar | undefined): string {
  if (of === undefined) return '';
  return ` # {trace_id="${of.traceId}",span_id="${of.spanId}"} ${of.value} ${(of.at / 1000).toFixed(3)}`;
}

function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
