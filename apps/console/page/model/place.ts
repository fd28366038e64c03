/** Where the reader is: the view and all that it shows, as the address says it. A copied address opens the same. */

export const VIEWS = ['live', 'traces', 'logs', 'ai', 'metrics', 'health', 'telemetry'] as const;
export type View = (typeof VIEWS)[number];

export const VIEW_NAMES: Readonly<Record<View, string>> = {
  live: 'Live',
  traces: 'Traces',
  logs: 'Logs',
  ai: 'AI',
  metrics: 'Metrics',
  health: 'Health',
  telemetry: 'Telemetry',
};

/** All that an address may say beside its view. */
const KEYS = [
  /** The search box. */
  'q',
  'trace',
  'span',
  /** A log line's number at the store. */
  'line',
  'metric',
  'reading',
  'by',
  /** A filter of series. */
  'where',
  'range',
  /** The end of the range, where it stands still; Unix milliseconds. */
  'to',
  /** `0`: the list does not follow what comes. */
  'follow',
] as const;
export type PlaceKey = (typeof KEYS)[number];

export interface Place {
  readonly view: View;
  readonly at: Readonly<Partial<Record<PlaceKey, string>>>;
}

const LONGEST = 2000;

/** Never throws: what it does not know is left out, and an address of nowhere is the first view. */
export function readPlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split(/\?(.*)/s);
  const view = VIEWS.find((name) => name === path) ?? 'live';
  const params = new URLSearchParams(query);
  const at: Partial<Record<PlaceKey, string>> = {};
  for (const key of KEYS) {
    const value = params.get(key);
    if (value !== null && value !== '') at[key] = value.slice(0, LONGEST).replace(/\p{Cs}/gu, '\ufffd');
  }
  return { view, at };
}

export function writePlace({ view, at }: Place): string {
  const params = new URLSearchParams();
  for (const key of KEYS) {
    const value = at[key];
    if (value !== undefined && value !== '') params.set(key, value);
  }
  const query = params.toString();
  return `#/${view}${query === '' ? '' : `?${query}`}`;
}

/** An address for a link. */
export function to(view: View, at: Place['at'] = {}): string {
  return writePlace({ view, at });
}
