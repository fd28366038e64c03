/** The list of spans against the attributes and events that the sources name. */
import { expect, test } from 'vitest';
import { ANY_SPAN, spans } from '../../scripts/docs/span-list.ts';
import { librarySources } from './sources.ts';

/** Dotted names of these families, but those of channels and of symbols. */
const NAME = /['"`]((?:gen_ai|http|url|network|server|client|db|session|error|binnacle)\.[a-z_0-9.]+)['"`]/g;
/** Names that are none of a span's. */
const OTHERS: ReadonlySet<string> = new Set([
  // Channels of Node's.
  'http.client.request.created',
  'http.client.request.start',
  'http.client.response.finish',
  'http.server.request.start',
  // Marks on objects.
  'binnacle.bound',
  'binnacle.connection',
  'binnacle.emit',
  'binnacle.exchange',
  'binnacle.opentelemetry',
  'binnacle.watch',
  // What the console says of a record that it cut.
  'binnacle.truncated',
  // What the AI SDK's attributes begin with, which are read.
  'gen_ai.usage',
]);

/** Names that are put together of pieces, by how the sources write them. */
const SIDES = ['input', 'output'];
const MADE: ReadonlyMap<string, readonly string[]> = new Map([
  ['gen_ai.$' + '{side}.messages', SIDES.map((side) => `gen_ai.${side}.messages`)],
  ['binnacle.ai.$' + '{side}.length', SIDES.map((side) => `binnacle.ai.${side}.length`)],
  ['binnacle.ai.$' + '{side}.hash', SIDES.map((side) => `binnacle.ai.${side}.hash`)],
  ['gen_ai.usage.$' + '{type}_tokens', SIDES.map((type) => `gen_ai.usage.${type}_tokens`)],
]);

function namesInSources(): string[] {
  // Comments name others.
  const texts = librarySources().map((text) => text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*/gm, ''));
  for (const pieces of MADE.keys()) expect(texts.join('')).toContain(pieces);
  const found = texts.flatMap((text) => [...text.matchAll(NAME)].map(([, name = '']) => name));
  return [...new Set([...found, ...[...MADE.values()].flat()])].filter((name) => !OTHERS.has(name)).sort();
}

test('every attribute and event of the sources is in the list, and every one of the list in the sources', () => {
  const listed = spans.flatMap(({ attributes, events = [] }) => [...attributes, ...events]);
  const dotted = [...new Set([...listed, ...ANY_SPAN])].filter((name) => name.includes('.')).sort();
  expect(dotted).toEqual(namesInSources());
});

test('no span is listed with an attribute twice', () => {
  for (const { name, attributes } of spans) expect(new Set(attributes).size, name).toBe(attributes.length);
});
