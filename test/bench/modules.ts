/** The bench's modules, by the types that its tests expect of them. */
import { loadScript } from '../scripts/module.ts';

export interface Variant {
  readonly id: string;
  readonly title: string;
  readonly spans?: number;
  readonly histogram?: string;
  readonly lines?: number;
  readonly ids?: 'trace' | 'span' | undefined;
  readonly events?: boolean;
  readonly lost?: boolean;
}
export type Figures = Readonly<Record<string, number>>;
export interface Result {
  readonly variant: Variant;
  readonly slices: (Figures | undefined)[];
  readonly problems: string[];
}
export interface Operation {
  readonly id: string;
  readonly title: string;
  readonly unit: 'ns' | 'ms';
  readonly own: number[];
  readonly other: number[];
}
export interface Starts {
  readonly variant: Variant;
  readonly wallMs: number[];
  readonly cpuMs: number[];
}
export interface Run {
  readonly results: Result[];
  readonly starts: Starts[];
  readonly operations: Operation[];
}
export type Bounds = Record<string, { must?: string; goal?: string }>;

export const loadBench = <T>(name: string): Promise<T> => loadScript<T>(`../bench/${name}`);

const { ALL } = await loadBench<{ ALL: readonly Variant[] }>('variants.mjs');

export function variantOf(id: string): Variant {
  const variant = ALL.find((one) => one.id === id);
  if (variant === undefined) throw new Error(`no variant ${id}`);
  return variant;
}

/** A slice with the figures that are told; the others are 1. */
export function slice(figures: Figures): Figures {
  const names = ['requests', 'cpuUs', 'perSecond', 'p50Ms', 'p99Ms', 'pacedCpuUs', 'pacedP99Ms', 'rssMiB', 'startMs'];
  return { ...Object.fromEntries([...names, 'serverBusy', 'benchBusy'].map((name) => [name, 1])), ...figures };
}

/** A variant's results with one figure by round. */
export function resultOf(id: string, key: string, values: readonly (number | undefined)[]): Result {
  const slices = values.map((value) => (value === undefined ? undefined : slice({ [key]: value })));
  return { variant: variantOf(id), slices, problems: [] };
}
