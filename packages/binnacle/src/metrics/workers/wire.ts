/**
 * What processes and threads tell each other of their metrics. Plain data, so that it passes through JSON and structured
 * clones alike, in an envelope of its own name: a host's own messages are never taken for one of these, and whoever else
 * listens tells them by `binnacle`.
 */
import type { AcrossWorkers } from '../../catalogue.ts';

/** The name and version of the envelope: other versions do not understand each other, and say nothing. */
export const WIRE = 'metrics/1';

/** About how many characters a message holds at most. */
export const SLICE_CHARACTERS = 32_768;

/** A number as it is, or `NaN`, `Infinity`, `-Infinity` as text, which JSON has no numbers for. */
export type Figure = number | string;

/** A metric, told once before its first series. */
export interface FamilyNote {
  readonly name: string;
  readonly help: string;
  readonly kind: string;
  readonly labels: readonly string[];
  readonly buckets: readonly number[];
  readonly maxSeries: number;
  readonly workers: AcrossWorkers;
  /** Of a registry of the host's; its series are single samples, their labels behind the name's suffix and a space. */
  readonly guest: boolean;
}

/** Series, bucket, trace id, span id, value, Unix milliseconds. */
export type ExemplarNote = readonly [number, number, string, string, number, number];

/** Some of what changed since the last slice. */
export interface Slice {
  /** Numbered on from those told before. */
  readonly families: readonly FamilyNote[];
  /** Of each new series its number, the number of its metric, and its labels as the exposition writes them. */
  readonly series: readonly Figure[];
  /**
   * By series, its number first: the value of a gauge, what was added to a counter, or of a histogram what was added to
   * the sum, how many buckets changed, and of each its index and what was added.
   */
  readonly figures: readonly Figure[];
  readonly exemplars: readonly ExemplarNote[];
  /** Series that are no more; their numbers are free again. */
  readonly gone: readonly number[];
}

/** What a worker tells whoever gathers. */
export type Upward =
  /** Here I am, or here I still am. */
  | { readonly type: 'hello' }
  /** This gatherer of those that answered is the one I report to. */
  | { readonly type: 'join'; readonly gatherer: string }
  /** What was pulled (`pass` is that of the pull), or the last figures before an end (0). */
  | {
      readonly type: 'slice';
      readonly gatherer: string;
      readonly pass: number;
      readonly done: boolean;
      readonly slice: Slice;
    }
  /** Nothing more comes from here. */
  | { readonly type: 'leave'; readonly gatherer: string }
  /** The whole is wanted. */
  | { readonly type: 'ask'; readonly gatherer: string; readonly ask: number; readonly exemplars: boolean }
  /** The next part of it is. */
  | { readonly type: 'more'; readonly gatherer: string; readonly ask: number };

/** What a gatherer tells its workers. */
export type Downward =
  /** Who is there? */
  | { readonly type: 'who' }
  | { readonly type: 'welcome'; readonly gatherer: string }
  /** The next slice is wanted. The first of a pass says of what, and how long its threads may be waited for. */
  | {
      readonly type: 'pull';
      readonly gatherer: string;
      readonly pass: number;
      readonly first: boolean;
      /** Gauges and what is read at scrapes too, not only what would be lost with the worker. */
      readonly whole: boolean;
      readonly exemplars: boolean;
      readonly waitMs: number;
    }
  | {
      readonly type: 'part';
      readonly gatherer: string;
      readonly ask: number;
      readonly done: boolean;
      readonly slice: Slice;
    }
  /** The gatherer stops: look for another one. */
  | { readonly type: 'bye'; readonly gatherer: string };

/** The envelope: `reporter` tells the several that one process may have apart; `who` is for all of them. */
export interface Envelope<M> {
  readonly binnacle: typeof WIRE;
  readonly reporter: number;
  readonly message: M;
}

/** Opens an envelope; undefined for a message that is somebody else's. What is inside is checked where it is used. */
export function open<M extends { readonly type: string }>(value: unknown): Envelope<M> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { binnacle, reporter, message } = value as Partial<Envelope<M>>;
  if (binnacle !== WIRE || typeof reporter !== 'number' || typeof message !== 'object' || message === null)
    return undefined;
  return value as Envelope<M>;
}

export function toFigure(value: number): Figure {
  return Number.isFinite(value) ? value : String(value);
}

/** Reads the figure at a place; throws where there is none. */
export function figureAt(figures: readonly Figure[], at: number): number {
  const figure = figures[at];
  if (figure === undefined || figure === null) throw new TypeError('a report ends in the middle of a series');
  return typeof figure === 'number' ? figure : Number(figure);
}

/** Whether samples of a guest add up over time, by the kind of its metric and what is behind its name. */
export function isCumulative(kind: string, suffix: string): boolean {
  if (kind === 'counter' || kind === 'histogram') return true;
  return kind === 'summary' && (suffix === '_sum' || suffix === '_count');
}
