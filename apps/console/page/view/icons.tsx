/** Drawings of 16 units; they say nothing by themselves, a text stands beside each. */
import type { JSX } from 'preact';
import { KIND_NAMES, type Kind } from '../model/kind.ts';

const PATHS = {
  live: 'M1.5 8h2.6l2-5 3.6 10 2.1-5h2.7',
  traces: 'M2 3.5h7M4.5 8h7M8 12.5h6',
  logs: 'M2.5 3.5h11M2.5 6.5h8M2.5 9.5h11M2.5 12.5h5',
  ai: 'M8 1.8l1.5 4.7L14.2 8l-4.7 1.5L8 14.2 6.5 9.5 1.8 8l4.7-1.5z',
  metrics: 'M2 2v12h12M5 10.5l2.8-3.4 2.2 1.9L13.5 5',
  health: 'M8 13.6S2 10.2 2 6.1A3.1 3.1 0 0 1 8 5a3.1 3.1 0 0 1 6 1.1c0 4.1-6 7.5-6 7.5z',
  telemetry:
    'M8 9.2a1.2 1.2 0 1 0 0-2.4 1.2 1.2 0 0 0 0 2.4zM5.2 10.8a4 4 0 0 1 0-5.6M10.8 5.2a4 4 0 0 1 0 5.6M3.2 12.8a6.8 6.8 0 0 1 0-9.6M12.8 3.2a6.8 6.8 0 0 1 0 9.6',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7L14 14',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  copy: 'M5.5 5.5V2.5h8v8h-3M2.5 5.5h8v8h-8z',
  check: 'M3 8.5l3.3 3.3L13 4.8',
  back: 'M9.5 3L4.5 8l5 5',
  next: 'M6 3l5 5-5 5',
  down: 'M3 6l5 5 5-5',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  error: 'M8 4.5v4.2M8 11.4v.1M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z',
  warning: 'M8 6v3.2M8 11.6v.1M8 2L1.6 13.5h12.8z',
  help: 'M6 6.2A2 2 0 1 1 8.6 8c-.4.2-.6.5-.6 1M8 11.6v.1M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z',
  sun: 'M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  moon: 'M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1z',
  screen: 'M2 3h12v8H2zM6 14h4M8 11v3',
  link: 'M9 3h4v4M13 3L7.5 8.5M11 9.5V13H3V5h3.5',
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** Each kind has a shape of its own, so that colour says nothing that the shape does not. */
const MARKS: Readonly<Record<Kind, string>> = {
  request: 'M2.5 8h9M8 4l4 4-4 4',
  phase: 'M3 3v10M13 3v10M3 8h10',
  ai: PATHS.ai,
  database:
    'M3 4.2c0-1.1 2.2-2 5-2s5 .9 5 2-2.2 2-5 2-5-.9-5-2zM3 4.2v7.6c0 1.1 2.2 2 5 2s5-.9 5-2V4.2M3 8c0 1.1 2.2 2 5 2s5-.9 5-2',
  redis: 'M8 2.2l6 3-6 3-6-3zM2 8.2l6 3 6-3M2 11l6 3 6-3',
  client: 'M4.5 11.5l7-7M5.5 4.5h6v6',
  cache: 'M3 3h10v10H3zM3 6.5h10M6.5 6.5V13',
  breaker: 'M1.5 8h3.2l4.6-3.8M9.5 8h5M4.7 8h.1',
  queue: 'M2 4.5h12v7H2zM2 5l6 4 6-4',
  internal: 'M8 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z',
};

export function KindMark({ kind }: { readonly kind: Kind }): JSX.Element {
  return (
    <svg class={`icon kind-${kind}`} viewBox="0 0 16 16" role="img" aria-label={KIND_NAMES[kind]}>
      <path d={MARKS[kind]} />
    </svg>
  );
}
